internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// A client that leaves while the process works on its request.
extension Worker {
    /// Whether the process works on the request, though nobody waits for it any more.
    func isAtWork(_ exchange: Int, _ place: Int) -> Bool {
        exchanges[exchange].machine.isAtWork(
            sentAny: upstreams[place].sentAny, hasClosed: upstreams[place].peerClosed, now: now)
            && !(drain.isDraining && drain.successor == nil)
    }

    /// Keeps the slot of an exchange until the process is done with it.
    func leaveBehind(_ exchange: Int, _ place: Int, _ outcome: ExchangeOutcome) {
        let group = Int(upstreams[place].group)
        let left = exchanges[exchange].machine.leaveBehind(
            outcome, deadline: upstreams[place].deadline, now: now)
        if left.isOverdue, let grant = left.slot.grant {
            // That it does not answer is to be known now, not when it has ended.
            groups[group].overdue(grant, now: instant)
        }
        let slot = AbandonedSlot(
            left: left, method: exchanges[exchange].method,
            body: exchanges[exchange].responsePhase == .streaming
                ? exchanges[exchange].responseBody.ignoringMark : nil)
        slotsHeld -= 1
        upstreams.abandon(
            place, slot, tellsEnd: left.endsRequest || settings.groups[group].hearsOfEnds)
    }
}
