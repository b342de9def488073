internal import Synchronization

/// The shared door to one group: its pure state behind one short lock.
///
/// Every call locks, changes the state, unlocks and only then hands the orders that came out of it
/// to the two executors; so an executor may call back. Any thread may call.
package final class Group: Sendable {
    package let name: String
    private let state: Mutex<GroupState>
    private let executor: any OrderExecutor
    private let index: Int

    package init(
        index: Int, policy: GroupPolicy, seed: UInt64, executor: any OrderExecutor,
        now: MonotonicInstant
    ) { fatalError("contract only") }

    /// Asks for a slot. `queued` is followed by exactly one `TrafficOrder` for the waiter tag.
    package func acquire(_ request: AdmissionRequest, now: MonotonicInstant) -> Admission {
        fatalError()
    }
    /// Gives a slot back; exactly once for each grant.
    package func finished(_ grant: Grant, _ outcome: ExchangeOutcome, now: MonotonicInstant) {
        fatalError()
    }
    /// Leaves the queue; false: an order for the waiter is already on its way and will come.
    package func leaveQueue(_ ticket: WaiterTicket, now: MonotonicInstant) -> Bool { fatalError() }
    /// Starts a session on the process of a grant that was made without one (`pin = "app"`).
    package func pin(_ session: SessionID, of grant: Grant, now: MonotonicInstant) { fatalError() }
    /// Ends a session (`Mooring-Pin: release`); unknown ones are ignored.
    package func endSession(_ session: SessionID, now: MonotonicInstant) { fatalError() }
    /// Lengthens (never shortens) the idle time of a session (`Mooring-Pin: hold=30m`).
    package func holdSession(_ session: SessionID, idle: Interval, now: MonotonicInstant) {
        fatalError()
    }
    /// Where a process takes connections; nil when it is gone.
    package func address(of process: ProcessHandle) -> ProcessAddress? { fatalError() }

    /// The public name of a process; nil when it is gone.
    package func label(of process: ProcessHandle) -> String? { fatalError() }

    // Facts from Supervision.
    package func spawned(
        _ process: ProcessHandle, incarnation: Incarnation, label: String, pid: Int32,
        address: ProcessAddress, now: MonotonicInstant
    ) { fatalError() }
    package func becameReady(_ process: ProcessHandle, now: MonotonicInstant) { fatalError() }
    /// The leader ended and was reaped, or could not be started at all (then without `spawned`).
    package func exited(_ process: ProcessHandle, _ report: ExitReport, now: MonotonicInstant) {
        fatalError()
    }

    /// Does what has become due; early and repeated calls are harmless.
    package func advance(to now: MonotonicInstant) { fatalError() }
    /// The one time at which `advance(to:)` must be called next; nil: not before another fact.
    package var nextDeadline: MonotonicInstant? { fatalError() }
    /// Starts `min` processes. Called once.
    package func start(now: MonotonicInstant) { fatalError() }
    /// Refuses what waits, stops every process; `isStopped` is true when the last has gone.
    package func shutDown(now: MonotonicInstant) { fatalError() }
    package var isStopped: Bool { fatalError() }
    package func snapshot(now: MonotonicInstant) -> GroupSnapshot { fatalError() }
}

/// Carries out what the registry orders; called outside the lock, from whatever thread caused it.
package protocol OrderExecutor: AnyObject, Sendable {
    /// Data path: wake the waiters. Called with at least one order.
    func carryOut(_ orders: [TrafficOrder], group: Int)
    /// Processes: spawn, signal. Called with at least one order.
    func carryOut(_ orders: [SupervisionOrder], group: Int)
    /// The ordered stream of decisions, for the log and the admin events.
    func record(_ events: [RegistryEvent], group: Int)
    /// `nextDeadline` has become earlier than it was when `advance(to:)` last returned.
    func deadlineMovedForward(group: Int)
}
