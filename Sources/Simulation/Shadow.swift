internal import Backends

/// The reference model: what an observer of the orders alone knows, and what he may rely on.
///
/// It is kept simpler than the registry on purpose: where it is not sure (a lease that may just
/// have ended) it makes no claim.
struct Shadow {
    /// A process as its orders and events tell.
    struct Process {
        enum State: Equatable {
            case starting
            case ready
            case draining
            case stopping
            case down
            case gone
        }

        var handle: ProcessHandle
        var incarnation: Incarnation?
        var state: State
        var inFlight = 0

        var serves: Bool { state == .ready || state == .draining }
    }

    /// Where a session was last served.
    struct Pin {
        var process: ProcessHandle
        var lastSeen: MonotonicInstant
        var idle: Interval
        var running = 0
    }

    /// A request in a queue.
    struct Waiter {
        var since: MonotonicInstant
        var claim: AdmissionRequest.Claim?
    }

    let policy: GroupPolicy
    private(set) var processes: [ProcessHandle: Process] = [:]
    private(set) var pins: [SessionID: Pin] = [:]
    private(set) var waiters: [WaiterTag: Waiter] = [:]
    /// Sessions that were released: nothing is certain about them any more.
    private var released: Set<SessionID> = []

    init(policy: GroupPolicy) { self.policy = policy }

    // MARK: Processes

    func count(_ states: Process.State...) -> Int {
        processes.values.count { states.contains($0.state) }
    }

    var live: Int { count(.starting, .ready, .draining, .stopping) }

    mutating func entered(_ handle: ProcessHandle, _ state: Process.State) throws(Violation) {
        if processes[handle] != nil { throw Violation(.startedTwice, "\(handle)") }
        processes[handle] = Process(handle: handle, state: state)
        if live > policy.maximum && policy.kind == .spawned {
            throw Violation(.aboveMaximum, "\(live) processes")
        }
    }

    mutating func set(_ handle: ProcessHandle, _ state: Process.State) {
        processes[handle]?.state = state
        if state == .gone { processes[handle] = nil }
    }

    mutating func learn(_ handle: ProcessHandle, _ incarnation: Incarnation) {
        processes[handle]?.incarnation = incarnation
    }

    /// Checks that a process which is told to end is needed by nobody.
    func checkStop(_ handle: ProcessHandle, _ reason: StopReason, now: MonotonicInstant)
        throws(Violation)
    {
        guard reason == .idle else { return }
        guard let process = processes[handle], process.state == .ready else {
            throw Violation(.stoppedWhileNeeded, "\(handle) was not ready")
        }
        if process.inFlight > 0 {
            throw Violation(.stoppedWhileNeeded, "\(handle) has requests in flight")
        }
        if count(.ready) <= policy.minimum {
            throw Violation(.belowMinimum, "\(handle) was evicted")
        }
        let needed = pins.values.contains { $0.process == handle && isCertain($0, now: now) }
        if needed { throw Violation(.stoppedWhileNeeded, "\(handle) has a live lease") }
    }

    // MARK: Sessions

    private func isCertain(_ pin: Pin, now: MonotonicInstant) -> Bool {
        pin.running > 0 || now < pin.lastSeen + pin.idle
    }

    /// The process that a request must be given to; nil: any, as far as is known.
    func expected(_ claim: AdmissionRequest.Claim?, now: MonotonicInstant) -> ProcessHandle? {
        guard let claim, !released.contains(claim.session), let pin = pins[claim.session],
            isCertain(pin, now: now), let process = processes[pin.process], process.serves
        else { return nil }
        return pin.process
    }

    mutating func release(_ session: SessionID) {
        released.insert(session)
        pins[session] = nil
    }

    mutating func hold(_ session: SessionID, _ idle: Interval) {
        if let pin = pins[session] { pins[session]?.idle = max(pin.idle, idle) }
    }

    mutating func pin(_ session: SessionID, to handle: ProcessHandle, now: MonotonicInstant) {
        if released.contains(session) { return }
        pins[session] = Pin(process: handle, lastSeen: now, idle: policy.sessionIdle, running: 1)
    }

    // MARK: Slots

    mutating func granted(
        _ grant: Grant, for claim: AdmissionRequest.Claim?, now: MonotonicInstant
    ) throws(Violation) {
        guard let process = processes[grant.process] else {
            throw Violation(.requestToDeadProcess, "\(grant.process)")
        }
        switch process.state {
        case .ready: break
        case .draining:
            // One whose lease has ended is still honoured, so only strangers are out of place.
            if grant.placed != .kept {
                throw Violation(.newSessionOnDrainingProcess, "\(grant)")
            }
        case .starting: throw Violation(.requestToStartingProcess, "\(grant.process)")
        case .stopping: throw Violation(.requestToStoppingProcess, "\(grant.process)")
        case .down, .gone: throw Violation(.requestToDeadProcess, "\(grant.process)")
        }
        // An external server's is not known before its first grant.
        if process.incarnation == nil { learn(grant.process, grant.incarnation) }
        if processes[grant.process]?.incarnation != grant.incarnation {
            throw Violation(.requestToUnknownProcess, "\(grant)")
        }
        if process.inFlight >= policy.threads {
            throw Violation(.tooManyRequests, "\(grant.process) has \(process.inFlight)")
        }
        if let expected = expected(claim, now: now), expected != grant.process {
            throw Violation(.sessionMovedWhileItsProcessLives, "from \(expected) by \(grant)")
        }
        processes[grant.process]?.inFlight += 1
        if let session = grant.session { note(session, on: grant.process, now: now) }
        try checkPlaces(of: grant.process, now: now)
    }

    private mutating func note(
        _ session: SessionID, on handle: ProcessHandle, now: MonotonicInstant
    ) {
        if released.contains(session) { return }
        if var pin = pins[session], pin.process == handle {
            // A lease that may have ended meanwhile has begun anew with the ordinary idle time.
            if !isCertain(pin, now: now) { pin.idle = policy.sessionIdle }
            pin.lastSeen = now
            pin.running += 1
            pins[session] = pin
        } else {
            pin(session, to: handle, now: now)
        }
    }

    private func checkPlaces(of handle: ProcessHandle, now: MonotonicInstant) throws(Violation) {
        guard policy.sessionsPerProcess > 0 else { return }
        let count = pins.values.count { $0.process == handle && isCertain($0, now: now) }
        if count > policy.sessionsPerProcess {
            throw Violation(.tooManySessions, "\(count) on \(handle)")
        }
    }

    mutating func finished(_ grant: Grant, now: MonotonicInstant) {
        processes[grant.process]?.inFlight -= 1
        guard let session = grant.session, var pin = pins[session], pin.process == grant.process
        else { return }
        pin.running = max(0, pin.running - 1)
        pin.lastSeen = now
        pins[session] = pin
    }

    // MARK: Waiters

    mutating func queued(
        _ tag: WaiterTag, _ claim: AdmissionRequest.Claim?, now: MonotonicInstant
    ) {
        waiters[tag] = Waiter(since: now, claim: claim)
    }

    mutating func left(_ tag: WaiterTag) { waiters[tag] = nil }

    /// A waiter is answered once.
    mutating func answered(_ tag: WaiterTag) throws(Violation) -> Waiter {
        guard let waiter = waiters.removeValue(forKey: tag) else {
            throw Violation(.answeredTwice, "\(tag)")
        }
        return waiter
    }

    /// After the registry was told the time, nobody waits beyond his.
    func checkWaiters(now: MonotonicInstant) throws(Violation) {
        if let late = waiters.values.map(\.since).min(), late + policy.queueTimeout <= now {
            throw Violation(.waiterLost, "waits since \(late.nanoseconds)")
        }
    }

    /// A refusal has to have the cause that it names.
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
