internal import Backends
internal import Exchanges

/// A browser's parallel first requests create one session and cause at most one start (design,
/// placement rule 6): while the first is queued the others wait, and join its session.
extension Placement {
    /// Whether the exchange must wait for the one that leads on its connection.
    func follows(_ exchange: Int) -> Bool {
        guard exchanges[exchange].machine.mayFollow else { return false }
        sessions.claimProvisionalPin(exchange)
        let holder = sessions.affinityHolder(exchange)
        guard exchanges[exchange].machine.mayFollow,
            let leader = slots.coalesced.leader(at: Int(downstreams[holder].affinity.leader)),
            exchanges.holds(leader.exchange, serial: leader.serial),
            exchanges[leader.exchange].group == exchanges[exchange].group,
            leader.exchange != exchange,
            exchanges[leader.exchange].visitor == exchanges[exchange].visitor
        else { return false }
        exchanges[exchange].machine.follow(
            since: MonotonicInstant(nanoseconds: exchanges[exchange].askedAt))
        downstreams.clearDeadline(Int(exchanges[exchange].downstream))
        slots.coalesced.follow(
            leader, .init(exchange: exchange, serial: exchanges.serial(exchange)))
        return true
    }

    /// The exchange is queued, and the others of its connection wait for it.
    func lead(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        guard downstreams[downstream].carrier.isStream, exchanges[exchange].machine.mayFollow
        else { return }
        slots.coalesced.lead(.init(exchange: exchange, serial: exchanges.serial(exchange)))
        downstreams[sessions.affinityHolder(exchange)].affinity.leader = Int32(
            truncatingIfNeeded: exchange)
    }
}
