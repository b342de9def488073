internal import Backends
internal import Exchanges

/// Requests of one HTTP/2 connection that wait for another to begin the session they share.
struct Followers {
    /// Of the exchange that leads.
    let serial: UInt32
    var waiting: [(exchange: Int, serial: UInt32)] = []
}

/// A browser's parallel first requests make one session and at most one spawn (design, placement
/// rule 6): while the first is queued the others wait for what it gets, and join it there.
extension Worker {
    /// Whether the exchange waits for the one that leads on its connection.
    func follows(_ exchange: Int) -> Bool {
        guard exchanges[exchange].machine.mayFollow else { return false }
        exchanges.claimProvisionalPin(exchange)
        let holder = exchanges.affinityHolder(exchange)
        let leader = Int(downstreams[holder].affinity.leader)
        guard exchanges[exchange].machine.mayFollow, leader >= 0,
            let serial = followers[leader]?.serial, exchanges.holds(leader, serial: serial),
            exchanges[leader].group == exchanges[exchange].group, leader != exchange,
            exchanges[leader].visitor == exchanges[exchange].visitor
        else { return false }
        exchanges[exchange].machine.follow()
        downstreams.clearDeadline(Int(exchanges[exchange].downstream))
        shrinkWaiting(exchange)
        followers[leader]?.waiting.append((exchange, exchanges.serial(exchange)))
        return true
    }

    /// The others of its connection wait for this one, which is queued.
    func lead(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        guard downstreams[downstream].carrier.isStream, exchanges[exchange].machine.mayFollow
        else { return }
        followers[exchange] = Followers(serial: exchanges.serial(exchange))
        downstreams[exchanges.affinityHolder(exchange)].affinity.leader = Int32(
            truncatingIfNeeded: exchange)
    }

    /// The one that led has its process, or none: the others go where it went, or lead themselves.
    func releaseFollowers(of exchange: Int, serial: UInt32) {
        guard !followers.isEmpty, followers[exchange]?.serial == serial,
            let released = followers.removeValue(forKey: exchange)
        else { return }
        for follower in released.waiting
        where exchanges.holds(follower.exchange, serial: follower.serial) {
            exchanges.claimProvisionalPin(follower.exchange)
            admit(follower.exchange)
        }
    }
}
