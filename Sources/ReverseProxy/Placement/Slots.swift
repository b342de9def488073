internal import Backends
internal import Exchanges
internal import Reactor

/// The slots and queue places that the registry has given to a loop's exchanges, and their return.
///
/// Belongs to the loop's thread, and makes no callbacks: followers of an exchange that has left the
/// queue are put on the agenda.
final class Slots {
    private let exchanges: ExchangeTable
    private let plan: Plan
    private let agenda: Agenda
    /// Exchanges that wait for another one of their connection.
    var coalesced = CoalescedRequests()
    /// Slots granted to this loop's exchanges and not returned yet.
    private(set) var held = 0

    init(_ owners: Owners) {
        exchanges = owners.exchanges
        plan = owners.plan
        agenda = owners.agenda
    }

    /// A slot has been granted to an exchange.
    func take() { held += 1 }

    /// The slot of an exchange stays with the connection on which its process still works.
    func leave() { held -= 1 }

    /// Returns the slot, if the exchange holds one.
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

    /// The leader has got its process, or none: its followers go to the same process, or lead
    /// themselves.
    func releaseFollowers(of exchange: Int, serial: UInt32) {
        let released = coalesced.release(.init(exchange: exchange, serial: serial))
        if !released.isEmpty { agenda.askAgain(released) }
    }
}
