/// The sessions that their applications ended: a cookie that a client has kept does not bring them back.
///
/// Bounded: the latest are known, which is what matters for a client that logs out and for the requests that
/// were under way beside that. An older one's cookie leads to its process again, to a session without history.
struct EndedSessions: Sendable {
    static let limit = 16_384

    private var known: Set<SessionID> = []
    /// In the order in which they ended, the oldest at `oldest` once there are as many as there may be.
    private var order: [SessionID] = []
    private var oldest = 0

    func contains(_ session: SessionID) -> Bool { !known.isEmpty && known.contains(session) }

    /// Notes that a session has ended; once more is the same.
    mutating func insert(_ session: SessionID) {
        guard known.insert(session).inserted else { return }
        if order.count < Self.limit { return order.append(session) }
        known.remove(order[oldest])
        order[oldest] = session
        oldest = (oldest + 1) % Self.limit
    }
}
