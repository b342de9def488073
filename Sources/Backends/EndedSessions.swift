/// The sessions that their applications ended: a cookie that the client still sends does not revive
/// them.
///
/// Bounded to the latest, which covers a client that logs out and its concurrent requests. The
/// cookie of an older one leads to its process again, as a new session.
struct EndedSessions: Sendable {
    static let limit = 16_384

    private var known: Set<SessionID> = []
    /// In the order in which they ended; once full, a ring whose oldest entry is at `oldest`.
    private var order: [SessionID] = []
    private var oldest = 0

    func contains(_ session: SessionID) -> Bool { !known.isEmpty && known.contains(session) }

    /// A session of the same id begins again.
    mutating func remove(_ session: SessionID) {
        // Its entry in the order stays, and goes when it is the oldest.
        if !known.isEmpty { known.remove(session) }
    }

    /// Records that a session has ended; idempotent.
    mutating func insert(_ session: SessionID) {
        guard known.insert(session).inserted else { return }
        if order.count < Self.limit { return order.append(session) }
        known.remove(order[oldest])
        order[oldest] = session
        oldest = (oldest + 1) % Self.limit
    }
}
