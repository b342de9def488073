/// Request coalescing: requests of one HTTP/2 connection that wait for another to begin the session
/// that they share.
///
/// Belongs to the loop's thread. Exchanges are identified by index and serial, so that one that has
/// ended is never confused with the next one at its index; released ones may have ended too.
struct CoalescedRequests {
    struct Member: Equatable {
        let exchange: Int
        let serial: UInt32
    }

    private struct Party {
        /// Of the leading exchange.
        let serial: UInt32
        var waiting: [Member] = []
    }

    /// By the index of the leading exchange.
    private var parties: [Int: Party] = [:]

    /// Others may wait for this exchange from now on; those that wait already keep waiting.
    mutating func lead(_ leader: Member) {
        if parties[leader.exchange]?.serial == leader.serial { return }
        parties[leader.exchange] = Party(serial: leader.serial)
    }

    /// The leading exchange noted at this index; nil: none, or it was released.
    func leader(at index: Int) -> Member? {
        parties[index].map { Member(exchange: index, serial: $0.serial) }
    }

    /// Adds a follower to a leading exchange.
    mutating func follow(_ leader: Member, _ follower: Member) {
        let isLed = parties[leader.exchange]?.serial == leader.serial
        precondition(isLed, "no leader would release the follower of \(leader)")
        parties[leader.exchange]?.waiting.append(follower)
    }

    /// The exchange no longer leads: returns its followers in order.
    ///
    /// Returns none if it did not lead, or was released before.
    mutating func release(_ leader: Member) -> [Member] {
        guard !parties.isEmpty, parties[leader.exchange]?.serial == leader.serial else { return [] }
        return parties.removeValue(forKey: leader.exchange)?.waiting ?? []
    }
}
