/// Requests of one HTTP/2 connection that wait for another to begin the session that they share.
///
/// Belongs to the loop's thread. An exchange is known by its index and serial, so that one that has ended is
/// never taken for the one that has its index now; who is released may have ended too.
struct Followers {
    struct Member: Equatable {
        let exchange: Int
        let serial: UInt32
    }

    private struct Party {
        /// Of the exchange that leads.
        let serial: UInt32
        var waiting: [Member] = []
    }

    /// By the index of the exchange that leads.
    private var parties: [Int: Party] = [:]

    /// Others may wait for this exchange from now on; those that wait for it already go on waiting.
    mutating func lead(_ leader: Member) {
        if parties[leader.exchange]?.serial == leader.serial { return }
        parties[leader.exchange] = Party(serial: leader.serial)
    }

    /// The exchange that leads and was noted at this index; nil: none, or it has been released.
    func leader(at index: Int) -> Member? {
        parties[index].map { Member(exchange: index, serial: $0.serial) }
    }

    /// Waits for an exchange that leads.
    mutating func follow(_ leader: Member, _ follower: Member) {
        let isLed = parties[leader.exchange]?.serial == leader.serial
        precondition(isLed, "nobody would release a follower of \(leader)")
        parties[leader.exchange]?.waiting.append(follower)
    }

    /// The exchange leads no longer: those that waited for it, the first first.
    ///
    /// Of one that did not lead, or has been released before: nobody.
    mutating func release(_ leader: Member) -> [Member] {
        guard !parties.isEmpty, parties[leader.exchange]?.serial == leader.serial else { return [] }
        return parties.removeValue(forKey: leader.exchange)?.waiting ?? []
    }
}
