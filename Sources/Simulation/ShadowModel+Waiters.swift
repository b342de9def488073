internal import Backends

/// The reference model's waiters.
extension ShadowModel {
    mutating func queued(
        _ tag: WaiterTag, _ request: AdmissionRequest, now: MonotonicInstant
    ) {
        waiters[tag] = Waiter(
            since: now, claim: request.claim, isSessionless: request.isSessionless)
    }

    mutating func left(_ tag: WaiterTag) { waiters[tag] = nil }

    /// A waiter is answered once.
    mutating func answered(_ tag: WaiterTag) throws(Violation) -> Waiter {
        guard let waiter = waiters.removeValue(forKey: tag) else {
            throw Violation(.answeredTwice, "\(tag)")
        }
        return waiter
    }

    /// Once the registry has advanced, no waiter waits beyond its timeout.
    func checkWaiters(now: MonotonicInstant) throws(Violation) {
        if let late = waiters.values.map(\.since).min(), late + policy.queueTimeout <= now {
            throw Violation(.waiterLost, "waits since \(late.nanoseconds)")
        }
    }

    /// A refusal must have the cause that it names.
    func checkRefusal(_ refusal: Refusal, isShuttingDown: Bool) throws(Violation) {
        let isTrue =
            switch refusal.reason {
            case .queueFull: waiters.count >= policy.queueLimit
            case .processQueueFull: waiters.count >= policy.processQueueLimit
            case .queueTimeout: true
            case .groupFailing: count(.ready) == 0
            case .sessionLost: policy.onLost == .refuse
            case .shuttingDown: isShuttingDown
            }
        if !isTrue || refusal.retryAfterSeconds < 1 {
            throw Violation(.refusedWithoutReason, "\(refusal)")
        }
    }
}
