internal import Synchronization

/// The shared door to one group: its pure state behind one short lock.
///
/// Every call locks, changes the state, unlocks and only then hands the orders that came out of it
/// to the executor; so an executor may call back. Any thread may call. Orders leave in the order in
/// which they were decided: while one thread hands them out, others leave theirs to it.
package final class Group: Sendable {
    package let name: String
    private let state: Mutex<Guarded>
    private let executor: any OrderExecutor
    private let index: Int

    private struct Guarded: ~Copyable, Sendable {
        var group: GroupState
        /// The deadline that the driver of the time knows of.
        var published: MonotonicInstant?
        var isDelivering = false

        /// What the driver of the time sleeps until from now on.
        mutating func publishDeadline() -> MonotonicInstant? {
            published = group.nextDeadline
            return published
        }

        /// Whether the driver of the time has to be told.
        mutating func publishEarlierDeadline() -> Bool {
            guard let next = group.nextDeadline else { return false }
            if let published, published <= next { return false }
            published = next
            return true
        }

        /// Whether the caller is to hand out orders.
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

    /// A group at rest: nothing is started before `start`.
    ///
    /// - Parameters:
    ///   - index: comes back in every call of the executor.
    ///   - budget: what all groups have together; nil: no limits.
    ///   - seed: for jitter; the same seed and calls give the same orders.
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

    /// Asks for a slot.
    ///
    /// `queued` is followed by exactly one `TrafficOrder` for the waiter tag.
    package func acquire(_ request: AdmissionRequest, now: MonotonicInstant) -> Admission {
        change(at: now) { $0.acquire(request) }
    }

    /// What would become of a request, and why; changes nothing.
    package func explain(
        _ request: AdmissionRequest, now: MonotonicInstant
    ) -> PlacementExplanation {
        state.withLock { guarded in
            guarded.group.tick(now)
            return guarded.group.explain(request)
        }
    }

    /// Gives a slot back; exactly once for each grant.
    ///
    /// Harmless if the process is gone meanwhile.
    package func finished(_ grant: Grant, _ outcome: ExchangeOutcome, now: MonotonicInstant) {
        change(at: now) { $0.finished(grant, outcome) }
    }

    /// Counts a request that was not answered in time as a failure, while its slot stays taken.
    ///
    /// `finished` follows, with `abandoned`. Harmless if the process is gone meanwhile.
    package func overdue(_ grant: Grant, now: MonotonicInstant) {
        change(at: now) { $0.overdue(grant) }
    }

    /// Leaves the queue; false: an order for the waiter is already on its way and will come.
    package func leaveQueue(_ ticket: WaiterTicket, now: MonotonicInstant) -> Bool {
        change(at: now) { $0.leaveQueue(ticket) }
    }

    /// Starts a session on the process of a grant that was made without one (`pin = "app"`).
    ///
    /// To be called before `finished`; the grant is then to be given back with the session in it.
    /// Ignored when the session is known already, the process is gone or the request was sessionless.
    package func pin(_ session: SessionID, of grant: Grant, now: MonotonicInstant) {
        change(at: now) { $0.pin(session, of: grant) }
    }

    /// Ends a session (`Mooring-Pin: release`) with its last request; unknown ones are ignored.
    package func endSession(_ session: SessionID, now: MonotonicInstant) {
        change(at: now) { $0.endSession(session) }
    }

    /// The exchange has become a tunnel; once, instead of `finished`.
    ///
    /// - Returns: whether the slot is kept (`tunnel_slots`), for `endTunnel`.
    package func beginTunnel(_ grant: Grant, now: MonotonicInstant) -> Bool {
        change(at: now) { $0.beginTunnel(grant) }
    }

    /// Payload has passed through a tunnel: its session is alive, or is again.
    package func tunnelTraffic(_ grant: Grant, now: MonotonicInstant) {
        change(at: now) { $0.tunnelTraffic(grant) }
    }

    /// A tunnel has ended; exactly once for each that began.
    package func endTunnel(
        _ grant: Grant, _ outcome: ExchangeOutcome, heldSlot: Bool, now: MonotonicInstant
    ) {
        change(at: now) { $0.endTunnel(grant, outcome, heldSlot: heldSlot) }
    }

    /// Lengthens (never shortens) the idle time of a session (`Mooring-Pin: hold=30m`).
    package func holdSession(_ session: SessionID, idle: Interval, now: MonotonicInstant) {
        change(at: now) { $0.holdSession(session, idle: idle) }
    }

    /// Where a process takes connections; nil when it is gone or not spawned yet.
    package func address(of process: ProcessHandle) -> ProcessAddress? {
        state.withLock { guarded in
            guarded.group.find(process).flatMap { guarded.group.processes[Int($0)].address }
        }
    }

    /// The public name and pid of a process, also after its end while its entry is free; for logs.
    package func identity(of process: ProcessHandle) -> (label: String, pid: Int32?)? {
        state.withLock { guarded in
            guarded.group.findLast(process).map { entry in
                let process = guarded.group.processes[Int(entry)]
                return (process.label, process.pid)
            }
        }
    }

    // MARK: Facts from Supervision. Those about a process that is gone are ignored.

    /// A process runs; not ready yet.
    package func spawned(
        _ process: ProcessHandle, incarnation: Incarnation, label: String, pid: Int32,
        address: ProcessAddress, now: MonotonicInstant
    ) {
        change(at: now) {
            $0.spawned(
                process, incarnation: incarnation, label: label, pid: pid, address: address)
        }
    }

    /// The external servers that are to be asked for their health.
    package var checkedServers: [CheckedServer] { state.withLock { $0.group.checkedServers } }

    /// What came of asking one.
    package func checked(_ server: ProcessHandle, isWell: Bool, now: MonotonicInstant) {
        change(at: now) { $0.checked(server, isWell: isWell) }
    }

    /// A process that had a choice of addresses listens at this one.
    package func listens(
        _ process: ProcessHandle, at address: ProcessAddress, now: MonotonicInstant
    ) {
        change(at: now) { $0.listens(process, at: address) }
    }

    /// Whether a process that is starting uses no CPU time at the moment; harmless when repeated or
    /// too late.
    package func startSleeps(_ process: ProcessHandle, _ sleeps: Bool, now: MonotonicInstant) {
        change(at: now) { $0.noteSleep(of: process, sleeps) }
    }

    /// A spawned process accepts connections; harmless when repeated or too late.
    package func becameReady(_ process: ProcessHandle, now: MonotonicInstant) {
        change(at: now) { $0.becameReady(process) }
    }

    /// The leader ended and was reaped, or could not be started at all (then without `spawned`).
    package func exited(_ process: ProcessHandle, _ report: ExitReport, now: MonotonicInstant) {
        change(at: now) { $0.exited(process, report) }
    }

    /// What a process says of itself.
    package func noted(_ process: ProcessHandle, _ note: ProcessNote, now: MonotonicInstant) {
        change(at: now) { $0.noted(process, note) }
    }

    /// A process is to be replaced: it goes when its replacement is ready.
    ///
    /// The ill (`watchdog`, `unhealthy`) take no new session from now on and are not waited for.
    /// Harmless when repeated.
    package func recycle(
        _ process: ProcessHandle, reason: StopReason, now: MonotonicInstant
    ) {
        change(at: now) { $0.recycle(process, reason) }
    }

    /// Takes over a process of an earlier balancer, before `start`; nil: it is not wanted.
    package func adopt(_ process: AdoptedProcess, now: MonotonicInstant) -> ProcessHandle? {
        change(at: now) { $0.adopt(process) }
    }

    /// The balancers of processes that were adopted as shared have ended, with all that they had under
    /// way; harmless when repeated.
    package func endSharing(now: MonotonicInstant) { change(at: now) { $0.endSharing() } }

    // MARK: Time and administration

    /// Does what has become due; early and repeated calls are harmless.
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
    /// For whoever drives the time, and nobody else: what was read here last, or at the end of
    /// `advance`, is what `deadlineMovedForward` is measured by.
    package var nextDeadline: MonotonicInstant? { state.withLock { $0.publishDeadline() } }

    /// Starts `min` processes; to be called once.
    package func start(now: MonotonicInstant) { change(at: now) { $0.start() } }

    /// Takes a process out of service: no new session goes there, and it ends when its own have.
    ///
    /// - Parameter timeout: when its last sessions are given up; nil: the group's `drain_timeout`.
    package func drain(
        _ process: ProcessHandle, timeout: Interval? = nil, now: MonotonicInstant
    ) {
        change(at: now) { $0.drain(process, timeout: timeout) }
    }

    /// Ends a process now; its sessions are lost.
    package func stop(_ process: ProcessHandle, now: MonotonicInstant) {
        change(at: now) { $0.stopNow(process) }
    }

    /// Begins a new generation of a spawned group; its number.
    ///
    /// The new processes start beside the old; when they are ready they take the new sessions and
    /// the old ones drain. If they do not get ready nothing changes for the old ones.
    package func restart(now: MonotonicInstant) -> Int { change(at: now) { $0.restart() } }

    /// The number that the next `restart` will give.
    package var nextGeneration: Int { state.withLock { $0.group.lastGeneration + 1 } }

    /// Goes on under another policy of the same name and kind; with a new generation, as `restart`.
    package func reconfigure(
        _ policy: GroupPolicy, newGeneration: Bool, now: MonotonicInstant
    ) {
        change(at: now) { $0.reconfigure(policy, newGeneration: newGeneration) }
    }

    /// Gives up a generation that is starting, or did not start; the one that serves is wanted again.
    package func abandonRollout(now: MonotonicInstant) { change(at: now) { $0.abandonRollout() } }

    /// Changes how many processes there are, until the next `reconfigure`; the surplus drains.
    package func scale(minimum: Int, maximum: Int, now: MonotonicInstant) {
        change(at: now) { $0.scale(minimum: minimum, maximum: maximum) }
    }

    /// The group is not in the configuration any more: it ends with its last session.
    ///
    /// New sessions are refused; `isStopped` is true when the last process has gone. Harmless when
    /// repeated.
    package func retire(now: MonotonicInstant) { change(at: now) { $0.retire() } }

    /// A retired group is in the configuration again, under a policy of the same name and kind.
    ///
    /// Its processes that are still there serve again, unless they were started otherwise than the
    /// configuration says now (`newGeneration`): then they keep their own sessions, as after `restart`.
    package func revive(_ policy: GroupPolicy, newGeneration: Bool, now: MonotonicInstant) {
        change(at: now) { $0.revive(policy, newGeneration: newGeneration) }
    }

    /// Gives up, for a group that needs the room, the process that can best be spared of all.
    ///
    /// To be called for `OrderExecutor.roomWanted`; false: no group has one to spare.
    package static func makeRoom(among groups: [Group], now: MonotonicInstant) -> Bool {
        let spareable = groups.compactMap { group in
            group.state.withLock { guarded in
                // Nobody may have told a quiet group the time for long.
                guarded.group.tick(now)
                return guarded.group.spareableSince.map { (group, $0) }
            }
        }
        guard let (group, _) = spareable.min(by: { $0.1 < $1.1 }) else { return false }
        return group.change(at: now) { $0.makeRoom() }
    }

    /// Forgets failures and back-off; what is wanted is started at once.
    package func reset(now: MonotonicInstant) { change(at: now) { $0.reset() } }

    /// Refuses what waits, stops every process; `isStopped` is true when the last has gone.
    ///
    /// Harmless when repeated.
    package func shutDown(now: MonotonicInstant) { change(at: now) { $0.shutDown() } }

    package var isStopped: Bool { state.withLock { $0.group.isStopped } }

    /// The group as it is now.
    package func snapshot(now: MonotonicInstant) -> GroupSnapshot {
        state.withLock { guarded in
            guarded.group.tick(now)
            return guarded.group.snapshot
        }
    }

    /// The first rule that the state breaks, for tests and the simulation; nil: it is sound.
    package var brokenInvariant: String? { state.withLock { $0.group.brokenInvariant } }

    // MARK: Doing it

    @inline(__always)
    private func change<Result: Sendable>(
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

/// Carries out what the registry orders; called outside the lock, from whatever thread caused it.
package protocol OrderExecutor: AnyObject, Sendable {
    /// Data path: wake the waiters. Called with at least one order.
    func carryOut(_ orders: [TrafficOrder], group: Int)
    /// Processes: spawn, signal. Called with at least one order.
    func carryOut(_ orders: [SupervisionOrder], group: Int)
    /// The ordered stream of decisions, for the log and the admin events.
    func record(_ events: [RegistryEvent], group: Int)
    /// `nextDeadline` has become earlier than it was when it was last read or published.
    func deadlineMovedForward(group: Int)
    /// A start waits since there are `max_processes`: another group may have one to spare.
    func roomWanted(group: Int)
}

extension OrderExecutor {
    /// Nobody else has a process to spare.
    package func roomWanted(group: Int) {}
}
