internal import Backends
internal import Exchanges
internal import Reactor

/// The slots and the turns that the registry has given to a loop's exchanges, and their way back.
///
/// Belongs to the loop's thread, and calls nobody back: who has waited for an exchange that is out of the
/// queue is noted in the agenda.
final class Slots {
    private let exchanges: ExchangeTable
    private let plan: Plan
    private let agenda: Agenda
    /// Those that wait for another exchange of their connection.
    var followers = Followers()
    /// Slots that the registry has granted to this loop's exchanges and has not got back.
    private(set) var held = 0

    init(_ owners: Owners) {
        exchanges = owners.exchanges
        plan = owners.plan
        agenda = owners.agenda
    }

    /// A slot has been granted to an exchange.
    func take() { held += 1 }

    /// The slot of an exchange stays with the connection that its process still works on.
    func leave() { held -= 1 }

    /// Gives the slot back, if the exchange holds one.
    func release(_ exchange: Int, _ outcome: ExchangeOutcome) {
        let slot = exchanges[exchange].machine.returnSlot()
        if slot == .none { return }
        held -= 1
        plan.groups[Int(exchanges[exchange].group)].giveBack(slot, outcome, now: exchanges.instant)
    }

    /// Leaves the queue, if the exchange is in one.
    func leaveQueue(_ exchange: Int) {
        guard let ticket = exchanges[exchange].machine.leaveQueue() else { return }
        _ = plan.groups[Int(exchanges[exchange].group)].leaveQueue(ticket, now: exchanges.instant)
        releaseFollowers(of: exchange, serial: exchanges.serial(exchange))
    }

    /// The one that led has its process, or none: the others are to go where it went, or lead themselves.
    func releaseFollowers(of exchange: Int, serial: UInt32) {
        let released = followers.release(.init(exchange: exchange, serial: serial))
        if !released.isEmpty { agenda.askAgain(released) }
    }
}
