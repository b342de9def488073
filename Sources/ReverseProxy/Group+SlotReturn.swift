internal import Backends
internal import Exchanges

extension Group {
    /// Returns a slot to the registry.
    func giveBack(
        _ slot: ExchangeMachine.SlotReturn, _ outcome: ExchangeOutcome, now: MonotonicInstant
    ) {
        switch slot {
        case .none: return
        case .request(let grant, let isAnswered):
            finished(grant, outcome, isAnswered: isAnswered, now: now)
        case .tunnel(let grant, let heldSlot):
            endTunnel(grant, outcome, heldSlot: heldSlot, now: now)
        }
    }
}
