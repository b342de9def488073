internal import Synchronization

/// The thread-safe interface to one group: its pure state behind one short lock.
///
/// Every call locks, changes the state, unlocks, and only then hands the resulting orders to the
/// executor, so an executor may call back. Any thread may call. Orders leave in the order in which
/// they were decided: while one thread hands them out, other threads leave theirs to it.
package final class Group: Sendable {
    package let name: String
    private let state: Mutex<Guarded>
    private let executor: any OrderExecutor
    private let index: Int

    struct Guarded: ~Copyable, Sendable {
        var group: GroupState
        /// The deadline that the timer last read.
        var published: MonotonicInstant?
        var isDelivering = false

        /// Records the current deadline as the one that the timer sleeps until.
        mutating func publishDeadline() -> MonotonicInstant? {
            published = group.nextDeadline
            return published
        }

        /// Whether the deadline is earlier than the published one, so that the timer must be
        /// notified.
        mutating func publishEarlierDeadline() -> Bool {
            guard let next = group.nextDeadline else { return false }
            if let published, published <= next { return false }
            published = next
            return true
        }

        /// Whether the caller must hand out the orders: false while another thread does.
        mutating func beginDelivery() -> Bool {
            if isDelivering || group.orders.isEmpty { return false }
            isDelivering = true
            return true
        }

        mutating func nextBatch() -> OrderBatch? {
            if group.orders.isEmpty {
                isDelivering = false
                return nil
            }
            var batch = OrderBatch()
            swap(&batch, &group.orders)
            return batch
        }
    }

    /// A group that starts nothing before `start`.
    ///
    /// - Parameters:
    ///   - index: passed to every call of the executor.
    ///   - budget: the limits shared by all groups; nil: no limits.
    ///   - seed: for jitter; the same seed and calls produce the same orders.
    package init(
        index: Int, policy: GroupPolicy, seed: UInt64, executor: any OrderExecutor,
        budget: SpawnBudget? = nil, now: MonotonicInstant
    ) {
        self.index = index
        name = policy.name
        self.executor = executor
        state = Mutex(
            Guarded(
                group: GroupState(
                    policy: policy, index: index, budget: budget, seed: seed, now: now)))
    }

    // MARK: Requests

    /// Requests a slot.
    ///
    /// `queued` is followed by exactly one `TrafficOrder` for the waiter tag.
    package func acquire(_ request: AdmissionRequest, now: MonotonicInstant) -> Admission {
        change(at: now) { $0.acquire(request) }
    }

    /// What the registry would do with a request now, and why; changes nothing.
    package func explain(
        _ request: AdmissionRequest, now: MonotonicInstant
    ) -> PlacementExplanation {
        state.withLock { guarded in
            guarded.group.tick(now)
            return guarded.group.explain(request)
        }
    }

    /// Returns a slot; exactly once for each grant.
    ///
    /// Harmless if the process is gone meanwhile.
    ///
    /// - Parameter isAnswered: whether the head of a response has gone to the client. A session that
    ///   began in a request without one ends with it: its client got no cookie.
    package func finished(
        _ grant: Grant, _ outcome: ExchangeOutcome, isAnswered: Bool = true, now: MonotonicInstant
    ) {
        change(at: now) { $0.finished(grant, outcome, isAnswered: isAnswered) }
    }

    /// Counts a request that timed out as a failure, while its slot stays taken.
    ///
    /// `finished` follows, with `abandoned`. Harmless if the process is gone meanwhile.
    package func overdue(_ grant: Grant, now: MonotonicInstant) {
        change(at: now) { $0.overdue(grant) }
    }

    /// Leaves the queue; false: an order for the waiter is already on its way and will arrive.
    package func leaveQueue(_ ticket: WaiterTicket, now: MonotonicInstant) -> Bool {
        change(at: now) { $0.leaveQueue(ticket) }
    }

    /// Leaves a waiting page's place in the queue: at its turn the session begins, without a request
    /// and a grant.
    ///
    /// The session's first request tells its process that it is new. `false`: an order for the
    /// waiter is on its way, as for `leaveQueue`.
    package func keepTurn(_ ticket: WaiterTicket, now: MonotonicInstant) -> Bool {
        change(at: now) { $0.keepTurn(ticket) }
    }

    /// The address of a process; nil when it is gone or not spawned yet.
    package func address(of process: ProcessHandle) -> ProcessAddress? {
        state.withLock { guarded in
            guarded.group.find(process).flatMap { guarded.group.processes[Int($0)].address }
        }
    }

    /// The public name and pid of a process, also after its exit until its entry is reused; for
    /// logs.
    package func identity(of process: ProcessHandle) -> (label: String, pid: Int32?)? {
        state.withLock { guarded in
            guarded.group.findLast(process).map { entry in
                let process = guarded.group.processes[Int(entry)]
                return (process.label, process.pid)
            }
        }
    }

    // MARK: Facts from Supervision. Those about a process that is gone are ignored.

    /// A process was spawned; it is not ready yet.
    package func spawned(
        _ process: ProcessHandle, incarnation: Incarnation, label: String, pid: Int32,
        address: ProcessAddress, now: MonotonicInstant
    ) {
        change(at: now) {
            $0.spawned(
                process, incarnation: incarnation, label: label, pid: pid, address: address)
        }
    }

    /// The external servers to check.
    package var checkedServers: [CheckedServer] { state.withLock { $0.group.checkedServers } }

    /// The result of one server's health check.
    package func checked(
        _ server: ProcessHandle, _ result: CheckResult, now: MonotonicInstant
    ) {
        change(at: now) { $0.checked(server, result) }
    }

    /// A process that could choose its address listens on this one.
    package func listens(
        _ process: ProcessHandle, at address: ProcessAddress, now: MonotonicInstant
    ) {
        change(at: now) { $0.listens(process, at: address) }
    }

    /// Whether a starting process currently uses no CPU time; repeated and late calls are harmless.
    package func startSleeps(_ process: ProcessHandle, _ sleeps: Bool, now: MonotonicInstant) {
        change(at: now) { $0.noteSleep(of: process, sleeps) }
    }

    /// A spawned process accepts connections; repeated and late calls are harmless.
    package func becameReady(_ process: ProcessHandle, now: MonotonicInstant) {
        change(at: now) { $0.becameReady(process) }
    }

    /// The main process exited and was reaped, or could not be started at all (then without
    /// `spawned`).
    package func exited(_ process: ProcessHandle, _ report: ExitReport, now: MonotonicInstant) {
        change(at: now) { $0.exited(process, report) }
    }

    /// A process sent a notification (sd_notify(3)).
    package func noted(_ process: ProcessHandle, _ note: ProcessNote, now: MonotonicInstant) {
        change(at: now) { $0.noted(process, note) }
    }

    /// Schedules the replacement of a process, which stops when its replacement is ready.
    ///
    /// A failing process (`watchdog`, `unhealthy`) takes no new session from now on, and its
    /// sessions are not waited for. Repeated calls are harmless.
    package func recycle(
        _ process: ProcessHandle, reason: StopReason, now: MonotonicInstant
    ) {
        change(at: now) { $0.recycle(process, reason) }
    }

    /// Adopts a process of an earlier balancer, before `start`; nil: the group does not want it.
    package func adopt(_ process: AdoptedProcess, now: MonotonicInstant) -> ProcessHandle? {
        change(at: now) { $0.adopt(process) }
    }

    /// The earlier balancers of processes adopted as shared have exited, with all their requests;
    /// repeated calls are harmless.
    package func endSharing(now: MonotonicInstant) { change(at: now) { $0.endSharing() } }

    /// Whether a process is in service with at most one request, so that nothing else waits for it.
    package func isAlone(on process: ProcessHandle) -> Bool {
        state.withLock { $0.group.isAlone(on: process) }
    }

    // MARK: Time and administration

    /// Does what is due; early and repeated calls are harmless.
    package func advance(to now: MonotonicInstant) {
        change(at: now) {
            $0.advance()
        } publishing: {
            _ = $0.publishDeadline()
            return false
        }
    }

    /// The one time at which `advance(to:)` must be called next; nil: not before another fact.
    ///
    /// Only the timer may read it: `deadlineMovedForward` compares with the value last read here or
    /// at the end of `advance`.
    package var nextDeadline: MonotonicInstant? { state.withLock { $0.publishDeadline() } }

    /// Starts `min` processes; call it once.
    package func start(now: MonotonicInstant) { change(at: now) { $0.start() } }

    /// Instead of `start`, for a group that is not in the configuration any more: what was adopted of it
    /// drains, as after `retire`, and `revive` takes it up.
    package func startRetired(now: MonotonicInstant) { change(at: now) { $0.startRetired() } }

    /// Takes a process out of service: it gets no new sessions, and stops when its own have ended.
    ///
    /// A server is out of service then, until `bringBack`.
    ///
    /// - Parameter timeout: when its last sessions are given up; nil: the group's `drain_timeout`.
    package func drain(
        _ process: ProcessHandle, timeout: Interval? = nil, now: MonotonicInstant
    ) {
        change(at: now) { $0.drain(process, timeout: timeout) }
    }

    /// Stops a process now; its sessions are lost.
    package func stop(_ process: ProcessHandle, now: MonotonicInstant) {
        change(at: now) { $0.stopNow(process) }
    }

    /// Starts a new generation of a spawned group and returns its number.
    ///
    /// The new processes start beside the old; once ready they take the new sessions and the old
    /// ones drain. If they do not become ready, the old ones continue unchanged.
    package func restart(now: MonotonicInstant) -> Int { change(at: now) { $0.restart() } }

    /// The number that the next `restart` will return.
    package var nextGeneration: Int { state.withLock { $0.group.lastGeneration + 1 } }

    /// Continues under another policy of the same name and kind; with a new generation, as in
    /// `restart`.
    package func reconfigure(
        _ policy: GroupPolicy, newGeneration: Bool, now: MonotonicInstant
    ) {
        change(at: now) { $0.reconfigure(policy, newGeneration: newGeneration) }
    }

    /// Gives up a generation that is starting or has failed to start; the serving one stays.
    package func abandonRollout(now: MonotonicInstant) { change(at: now) { $0.abandonRollout() } }

    /// Changes the number of processes until the next `reconfigure`; surplus processes drain.
    package func scale(minimum: Int, maximum: Int, now: MonotonicInstant) {
        change(at: now) { $0.scale(minimum: minimum, maximum: maximum) }
    }

    /// The configuration no longer has the group: it ends with its last session.
    ///
    /// New sessions are refused; `isStopped` becomes true when the last process is gone. Repeated
    /// calls are harmless.
    package func retire(now: MonotonicInstant) { change(at: now) { $0.retire() } }

    /// The configuration has a retired group again, with a policy of the same name and kind.
    ///
    /// Its remaining processes serve again, unless the configuration now starts them differently
    /// (`newGeneration`): then they keep only their own sessions, as after `restart`.
    package func revive(_ policy: GroupPolicy, newGeneration: Bool, now: MonotonicInstant) {
        change(at: now) { $0.revive(policy, newGeneration: newGeneration) }
    }

    /// Stops the process that all groups can best do without, for a group that needs the room.
    ///
    /// Call it on `OrderExecutor.roomWanted`; false: no group can spare a process.
    package static func makeRoom(among groups: [Group], now: MonotonicInstant) -> Bool {
        let spareable = groups.compactMap { group in
            group.state.withLock { guarded in
                // A quiet group may not have ticked for long.
                guarded.group.tick(now)
                return guarded.group.spareableSince.map { (group, $0) }
            }
        }
        guard let (group, _) = spareable.min(by: { $0.1 < $1.1 }) else { return false }
        return group.change(at: now) { $0.makeRoom() }
    }

    /// Forgets failures and back-off; wanted starts happen at once.
    package func reset(now: MonotonicInstant) { change(at: now) { $0.reset() } }

    /// Refuses all waiters and stops every process; `isStopped` is true when the last is gone.
    ///
    /// Repeated calls are harmless.
    package func shutDown(now: MonotonicInstant) { change(at: now) { $0.shutDown() } }

    package var isStopped: Bool { state.withLock { $0.group.isStopped } }

    /// The group's current state.
    package func snapshot(now: MonotonicInstant) -> GroupSnapshot {
        state.withLock { guarded in
            guarded.group.tick(now)
            return guarded.group.snapshot
        }
    }

    /// The first violated invariant, for tests and the simulation; nil: the state is sound.
    package var brokenInvariant: String? { state.withLock { $0.group.brokenInvariant } }

    /// Reads the state.
    func look<Result: Sendable>(_ fact: (borrowing GroupState) -> Result) -> Result {
        state.withLock { fact($0.group) }
    }

    // MARK: Delivery

    @inline(__always)
    func change<Result: Sendable>(
        at now: MonotonicInstant, _ fact: (inout GroupState) -> Result,
        publishing: (inout Guarded) -> Bool = { $0.publishEarlierDeadline() }
    ) -> Result {
        let (result, isEarlier, hasOrders) = state.withLock { guarded in
            guarded.group.tick(now)
            let result = fact(&guarded.group)
            guarded.group.settle()
            guarded.group.checkInvariants()
            return (result, publishing(&guarded), guarded.beginDelivery())
        }
        if isEarlier { executor.deadlineMovedForward(group: index) }
        if hasOrders { deliver() }
        return result
    }

    private func deliver() {
        while let batch = state.withLock({ $0.nextBatch() }) {
            if !batch.events.isEmpty { executor.record(batch.events, group: index) }
            if !batch.supervision.isEmpty { executor.carryOut(batch.supervision, group: index) }
            if !batch.traffic.isEmpty { executor.carryOut(batch.traffic, group: index) }
            if batch.wantsRoom { executor.roomWanted(group: index) }
        }
    }
}

/// Executes the registry's orders; called outside the lock, on the thread that caused them.
package protocol OrderExecutor: AnyObject, Sendable {
    /// Data path: notifies the waiters.
    ///
    /// Called with at least one order.
    func carryOut(_ orders: [TrafficOrder], group: Int)
    /// Processes: spawn, signal. Called with at least one order.
    func carryOut(_ orders: [SupervisionOrder], group: Int)
    /// The ordered stream of decisions, for the log and the admin API.
    func record(_ events: [RegistryEvent], group: Int)
    /// `nextDeadline` is now earlier than when it was last read or published.
    func deadlineMovedForward(group: Int)
    /// A start waits because `max_processes` are running: another group may be able to spare one.
    func roomWanted(group: Int)
}

extension OrderExecutor {
    /// For executors of a single group, which has no other group to ask.
    package func roomWanted(group: Int) {}
}
