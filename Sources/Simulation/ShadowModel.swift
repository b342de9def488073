internal import Backends

/// The reference model: what an observer of the orders alone can know and rely on.
///
/// It is deliberately simpler than the registry: where it is unsure (a lease that may just have
/// ended) it makes no claim.
struct ShadowModel {
    /// A process as seen in its orders and events.
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
        var generation: Int
        /// The `threads` that it was started with.
        var threads: Int
        /// Out of service: `max` no longer applies to it.
        var isOutgoing = false
        /// It may be out of service; the orders do not show.
        var mayBeOutgoing = false
        /// Started to replace another.
        var isReplacement = false
        var inFlight = 0
        var tunnels = 0
        /// The previous balancer still finishes requests on it.
        var isShared = false

        var serves: Bool { state == .ready || state == .draining }
    }

    /// The process that last served a session.
    struct Pin {
        var process: ProcessHandle
        var lastSeen: MonotonicInstant
        var idle: Interval
        var running = 0
        /// The lease of its last request; nil: it had none.
        var lease: LeaseReference?
        /// The client has sent the cookie back.
        var isConfirmed = false
        /// A response has brought the cookie to the client, as far as is known.
        var isIssued = false
        /// The balancer that knew the lease is gone; only the cookie proves the session.
        var isFromBefore = false
        /// It has a request in flight that only the previous balancer knows.
        var isElsewhere = false
    }

    /// A request in a queue.
    struct Waiter {
        var since: MonotonicInstant
        var claim: AdmissionRequest.Claim?
        /// It needs only a slot.
        var isSessionless: Bool
    }

    var policy: GroupPolicy
    /// The generation that new sessions may go to.
    private(set) var generation = 1
    /// To be replaced, and still in service.
    private var markedForRecycling: Set<ProcessHandle> = []
    /// Those of them that are stopped without draining.
    private var failing: Set<ProcessHandle> = []
    /// Ready replacements whose process has not gone yet.
    private var replacements = 0
    /// Those of them whose process may have exited on its own.
    private var replacementsWithoutOld = 0
    var processes: [ProcessHandle: Process] = [:]
    var pins: [SessionID: Pin] = [:]
    var waiters: [WaiterTag: Waiter] = [:]
    /// Released sessions, about which nothing is certain any more.
    var released: Set<SessionID> = []
    /// Sessions that did not fit into the lease table, and whether one of those admitted last did
    /// not.
    var withoutLease: UInt64 = 0
    var lacksLease = false

    init(policy: GroupPolicy) { self.policy = policy }

    // MARK: Processes

    func count(_ states: Process.State...) -> Int {
        processes.values.count { states.contains($0.state) }
    }

    /// The range of the number of processes that `max` applies to: serving generation, in service.
    var live: ClosedRange<Int> {
        let most = processes.values.filter { $0.generation == generation && !$0.isOutgoing }
        return most.count { !$0.mayBeOutgoing }...most.count
    }

    mutating func entered(
        _ handle: ProcessHandle, _ state: Process.State, generation: Int = 1,
        isReplacement: Bool = false
    ) throws(Violation) {
        if processes[handle] != nil { throw Violation(.startedTwice, "\(handle)") }
        processes[handle] = Process(
            handle: handle, state: state, generation: generation, threads: policy.threads)
        processes[handle]?.isReplacement = isReplacement
        guard policy.kind == .spawned else { return }
        let replacing = processes.values.count {
            $0.isReplacement && $0.state == .starting && !$0.isOutgoing
                && $0.generation == self.generation
        }
        let draining = count(.draining)
        let most = policy.drainingMaximum > 0 ? policy.drainingMaximum : policy.maximum
        if isReplacement, draining >= most, failing.isEmpty {
            throw Violation(.tooManyDraining, "\(draining) when another was to follow")
        }
        if replacing > 1 + replacementsWithoutOld {
            throw Violation(.replacedTooEarly, "\(replacing) at once")
        }
        // A replacement runs beside the process that it replaces, a generation beside the one
        // before.
        let mostServing = policy.maximum + (markedForRecycling.isEmpty ? 0 : 1)
        if generation == self.generation, live.lowerBound > mostServing {
            throw Violation(.aboveMaximum, "\(live) processes")
        }
        let incoming = processes.values.count { $0.generation > self.generation && !$0.isOutgoing }
        if generation > self.generation, incoming > max(1, policy.maximum) {
            throw Violation(.aboveMaximum, "\(incoming) of a new generation")
        }
    }

    mutating func set(_ handle: ProcessHandle, _ state: Process.State) {
        if state == .ready, processes[handle]?.isReplacement == true, !markedForRecycling.isEmpty {
            replacements += 1
            // A marked process that stops on its own counts as the replaced one.
            for other in markedForRecycling where processes[other]?.state == .stopping {
                processes[other]?.mayBeOutgoing = true
            }
        }
        processes[handle]?.state = state
        if state == .draining { processes[handle]?.isOutgoing = true }
        if state == .draining || state == .gone { settle(handle) }
        if state == .gone {
            processes[handle] = nil
            failing.remove(handle)
        }
    }

    /// It was draining with its retired group, which is configured again.
    mutating func reinstate(_ handle: ProcessHandle) {
        processes[handle]?.state = .ready
        processes[handle]?.isOutgoing = false
    }

    /// It is stopping; an outgoing process does so in addition to those that `max` applies to.
    mutating func stopping(_ handle: ProcessHandle, _ reason: StopReason) {
        set(handle, .stopping)
        switch reason {
        case .idle, .makeRoom, .unreachable, .command, .startTimeout, .shutdown, .exited:
            if processes[handle]?.generation ?? 0 > generation {
                processes[handle]?.isOutgoing = true
            }
        case .drained, .rollout, .scaledDown, .maxRequests, .maxAge, .maxMemory, .requestTimeout,
            .notify, .retired, .removed, .watchdog, .unhealthy, .drainTimeout:
            processes[handle]?.isOutgoing = true
            settle(handle)
        }
    }

    /// A process that was to be replaced stops: its replacement, if this is it, is an ordinary
    /// process now, and another replacement may start.
    private mutating func settle(_ handle: ProcessHandle) {
        if markedForRecycling.remove(handle) != nil { replacementsWithoutOld += 1 }
    }

    /// Checks that a recycled process stops only when a replacement is there.
    mutating func checkReplacement(
        of handle: ProcessHandle, _ reason: StopReason
    ) throws(Violation) {
        switch reason {
        case .maxRequests, .maxAge, .maxMemory, .requestTimeout: break
        default: return
        }
        guard markedForRecycling.contains(handle), processes[handle]?.state == .ready else {
            return
        }
        if replacements == 0 { throw Violation(.replacedTooEarly, "\(handle): \(reason)") }
        replacements -= 1
    }

    mutating func markForRecycling(_ handle: ProcessHandle, _ reason: StopReason) {
        if reason == .unhealthy || reason == .watchdog { failing.insert(handle) }
        if processes[handle]?.isOutgoing == false { markedForRecycling.insert(handle) }
    }

    /// Everything before this generation is out of service.
    mutating func tookOver(_ generation: Int) {
        self.generation = generation
        markedForRecycling = markedForRecycling.filter {
            processes[$0]?.generation ?? 0 >= generation
        }
        replacements = 0
        for handle in processes.keys where processes[handle]?.generation ?? 0 < generation {
            processes[handle]?.isOutgoing = true
        }
    }

    /// Of the processes that a new balancer has found, those of this generation serve.
    mutating func serves(_ generation: Int) { self.generation = generation }

    /// A process that a new balancer has found.
    mutating func adopted(_ handle: ProcessHandle, _ process: Process, isShared: Bool) {
        var process = process
        process.handle = handle
        process.isOutgoing = false
        process.isReplacement = false
        process.threads = policy.threads
        process.inFlight = 0
        process.tunnels = 0
        process.isShared = isShared
        if process.state == .draining { process.state = .ready }
        processes[handle] = process
    }

    /// A generation that did not become ready does not matter any more.
    mutating func gaveUp(_ generation: Int) {
        for handle in processes.keys where processes[handle]?.generation == generation {
            processes[handle]?.isOutgoing = true
        }
    }

    /// Processes that stop after the bounds were lowered do not count towards them.
    mutating func rescaled(minimum: Int, maximum: Int) {
        policy.minimum = minimum
        policy.maximum = maximum
        policy.spare = min(policy.spare, maximum - minimum)
        for handle in processes.keys where processes[handle]?.state == .stopping {
            processes[handle]?.isOutgoing = true
            settle(handle)
        }
    }

    mutating func tunnels(_ handle: ProcessHandle, _ change: Int) {
        processes[handle]?.tunnels += change
    }

    mutating func learn(_ handle: ProcessHandle, _ incarnation: Incarnation) {
        processes[handle]?.incarnation = incarnation
    }

    /// Checks that a stopping process is not needed.
    func checkStop(_ handle: ProcessHandle, _ reason: StopReason, now: MonotonicInstant)
        throws(Violation)
    {
        switch reason {
        case .idle, .makeRoom:
            guard let process = processes[handle], process.state == .ready else {
                throw Violation(.stoppedWhileNeeded, "\(handle) was not ready")
            }
            let serving = processes.values.count {
                $0.state == .ready && $0.generation == generation && !$0.isOutgoing
            }
            if serving <= policy.minimum + (reason == .idle ? policy.spare : 0) {
                throw Violation(.belowMinimum, "\(handle) was evicted")
            }
        case .drained, .rollout, .scaledDown, .maxRequests, .maxAge, .maxMemory, .requestTimeout,
            .notify, .retired, .removed:
            // A process that was not ready has no sessions to lose.
            guard processes[handle]?.state == .draining else { return }
        case .startTimeout, .unreachable, .shutdown, .exited, .watchdog, .unhealthy, .command,
            .drainTimeout:
            return
        }
        if processes[handle]?.isShared == true {
            throw Violation(.stoppedWhileNeeded, "\(handle) is used by the balancer before")
        }
        if processes[handle]?.inFlight ?? 0 > 0 {
            throw Violation(.stoppedWhileNeeded, "\(handle) has requests in flight")
        }
        let needed = pins.values.contains { $0.process == handle && isCertain($0, now: now) }
        if needed { throw Violation(.stoppedWhileNeeded, "\(handle) has a live lease") }
    }

    // MARK: Slots

    mutating func granted(
        _ grant: Grant, for claim: AdmissionRequest.Claim?, isSessionless: Bool,
        now: MonotonicInstant
    ) throws(Violation) {
        guard let process = processes[grant.process] else {
            throw Violation(.requestToDeadProcess, "\(grant.process)")
        }
        switch process.state {
        case .ready:
            if grant.placed != .kept, process.generation != generation || process.isOutgoing {
                throw Violation(.newSessionOnDrainingProcess, "generation: \(grant)")
            }
        case .draining:
            // A session whose lease has ended is still honoured, so only other sessions are wrong
            // here.
            if grant.placed != .kept {
                throw Violation(.newSessionOnDrainingProcess, "\(grant)")
            }
        case .starting: throw Violation(.requestToStartingProcess, "\(grant.process)")
        case .stopping: throw Violation(.requestToStoppingProcess, "\(grant.process)")
        case .down, .gone: throw Violation(.requestToDeadProcess, "\(grant.process)")
        }
        // An external server's incarnation is unknown before its first grant.
        if process.incarnation == nil { learn(grant.process, grant.incarnation) }
        if isSessionless, grant.session != nil, grant.session != claim?.session {
            throw Violation(.sessionForSessionlessRequest, "\(grant)")
        }
        // Without a lease the claim only leads to the process.
        if !isSessionless, grant.session != claim?.session, let expected = expected(claim, now: now)
        {
            throw Violation(.sessionMovedWhileItsProcessLives, "from \(expected), got \(grant)")
        }
        if processes[grant.process]?.incarnation != grant.incarnation {
            throw Violation(.requestToUnknownProcess, "\(grant)")
        }
        if process.inFlight >= process.threads {
            throw Violation(.tooManyRequests, "\(grant.process) has \(process.inFlight)")
        }
        if let expected = expected(claim, now: now), expected != grant.process {
            throw Violation(.sessionMovedWhileItsProcessLives, "from \(expected) by \(grant)")
        }
        processes[grant.process]?.inFlight += 1
        if let session = grant.session {
            let isConfirmed = claim.map { $0.isFromClient && $0.session == session } ?? false
            note(session, on: grant.process, isConfirmed: isConfirmed, now: now)
            pins[session]?.lease = grant.lease
        }
        try checkPlaces(of: grant.process, now: now)
    }

    private mutating func note(
        _ session: SessionID, on handle: ProcessHandle, isConfirmed: Bool, now: MonotonicInstant
    ) {
        if lacksLease { release(session) }
        if released.contains(session) { return }
        if var pin = pins[session], pin.process == handle {
            // A lease that may have ended meanwhile has begun again with the ordinary idle time.
            if !isCertain(pin, now: now) {
                pin.idle = policy.sessionIdle
                pin.isConfirmed = false
            }
            // The lease that its balancer knew is gone, and this one is new and unconfirmed.
            if pin.isFromBefore { pin.isConfirmed = false }
            if isConfirmed { pin.isConfirmed = true }
            pin.lastSeen = now
            pin.running += 1
            pin.isFromBefore = false
            pins[session] = pin
        } else {
            pin(session, to: handle, isConfirmed: isConfirmed, now: now)
        }
    }

    private func checkPlaces(of handle: ProcessHandle, now: MonotonicInstant) throws(Violation) {
        guard policy.sessionsPerProcess > 0 else { return }
        let count = pins.values.count { $0.process == handle && isCertain($0, now: now) }
        if count > policy.sessionsPerProcess {
            throw Violation(.tooManySessions, "\(count) on \(handle)")
        }
    }

    /// Payload has passed in a tunnel.
    mutating func spoke(_ grant: Grant, now: MonotonicInstant) {
        guard let session = grant.session, var pin = pins[session], pin.process == grant.process,
            policy.sessionsPerProcess == 0 || isCertain(pin, now: now)
        else { return }
        if !isCertain(pin, now: now) { pin.idle = policy.sessionIdle }
        pin.lastSeen = now
        pins[session] = pin
    }

    mutating func finished(_ grant: Grant, isAnswered: Bool, now: MonotonicInstant) {
        processes[grant.process]?.inFlight -= 1
        guard let session = grant.session, var pin = pins[session], pin.process == grant.process
        else { return }
        // A request from before the session moved away and back has no part in it any more.
        if let lease = grant.lease, let current = pin.lease, lease != current { return }
        pin.running = max(0, pin.running - 1)
        pin.lastSeen = now
        if isAnswered { pin.isIssued = true }
        // Its client has no cookie, so no request of it can follow.
        let ends = pin.running == 0 && !pin.isIssued && !pin.isConfirmed && !pin.isElsewhere
        pins[session] = ends ? nil : pin
    }
}
