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
        var generation: Int
        /// What it was started with.
        var threads: Int
        /// Taken out of service: `max` is not about it any more.
        var isOutgoing = false
        /// Perhaps; the orders do not tell.
        var mayBeOutgoing = false
        /// Started for one that is to go.
        var isReplacement = false
        var inFlight = 0
        var tunnels = 0
        /// The balancer before still finishes requests on it.
        var isShared = false

        var serves: Bool { state == .ready || state == .draining }
    }

    /// Where a session was last served.
    struct Pin {
        var process: ProcessHandle
        var lastSeen: MonotonicInstant
        var idle: Interval
        var running = 0
        /// The client has sent the cookie back.
        var isConfirmed = false
        /// The balancer that knew of the lease is gone; only the cookie tells.
        var isFromBefore = false
        /// It has a request under way that only the balancer before knows of.
        var isElsewhere = false
    }

    /// A request in a queue.
    struct Waiter {
        var since: MonotonicInstant
        var claim: AdmissionRequest.Claim?
        /// It needs no more than a slot.
        var isSessionless: Bool
    }

    var policy: GroupPolicy
    /// Of the processes that new sessions may go to.
    private(set) var generation = 1
    /// To be replaced, and not yet out of service.
    private var markedForRecycling: Set<ProcessHandle> = []
    /// Of those to be replaced, the ones that are not drained first.
    private var ill: Set<ProcessHandle> = []
    /// Replacements that have got ready, and nobody has gone for yet.
    private var replacements = 0
    /// Those whose old one may have gone by itself.
    private var replacementsWithoutOld = 0
    var processes: [ProcessHandle: Process] = [:]
    var pins: [SessionID: Pin] = [:]
    var waiters: [WaiterTag: Waiter] = [:]
    /// Sessions that were released: nothing is certain about them any more.
    var released: Set<SessionID> = []
    /// Sessions that found no room among the leases, and whether one of those that were let in last did.
    var withoutLease: UInt64 = 0
    var lacksLease = false

    init(policy: GroupPolicy) { self.policy = policy }

    // MARK: Processes

    func count(_ states: Process.State...) -> Int {
        processes.values.count { states.contains($0.state) }
    }

    /// What `max` is about: of the serving generation, and in service; as few and as many as it may be.
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
        if isReplacement, draining >= most, ill.isEmpty {
            throw Violation(.tooManyDraining, "\(draining) when another was to follow")
        }
        if replacing > 1 + replacementsWithoutOld {
            throw Violation(.replacedTooEarly, "\(replacing) at once")
        }
        // A replacement stands beside the one that it is for, a generation beside the one before.
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
            // One that is on its way out by itself is the replaced one from now on.
            for other in markedForRecycling where processes[other]?.state == .stopping {
                processes[other]?.mayBeOutgoing = true
            }
        }
        processes[handle]?.state = state
        if state == .draining { processes[handle]?.isOutgoing = true }
        if state == .draining || state == .gone { settle(handle) }
        if state == .gone {
            processes[handle] = nil
            ill.remove(handle)
        }
    }

    /// It was drained with its group, which is there again.
    mutating func reinstate(_ handle: ProcessHandle) {
        processes[handle]?.state = .ready
        processes[handle]?.isOutgoing = false
    }

    /// It ends; whoever was taken out of service does so beside those that `max` is about.
    mutating func stopping(_ handle: ProcessHandle, _ reason: StopReason) {
        set(handle, .stopping)
        switch reason {
        case .idle, .makeRoom, .unreachable, .command, .startTimeout, .shutdown, .exited:
            if processes[handle]?.generation ?? 0 > generation {
                processes[handle]?.isOutgoing = true
            }
        case .drained, .rollout, .scaledDown, .maxRequests, .maxAge, .maxMemory, .requestTimeout,
            .notify, .retired, .watchdog, .unhealthy, .drainTimeout:
            processes[handle]?.isOutgoing = true
            settle(handle)
        }
    }

    /// One that was to be replaced goes: who starts for it, if it is that one, is one of many now,
    /// and another may start for the next.
    private mutating func settle(_ handle: ProcessHandle) {
        if markedForRecycling.remove(handle) != nil { replacementsWithoutOld += 1 }
    }

    /// Checks that who is recycled goes only when another one is there.
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
        if reason == .unhealthy || reason == .watchdog { ill.insert(handle) }
        if processes[handle]?.isOutgoing == false { markedForRecycling.insert(handle) }
    }

    /// Everything before it is out of service.
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

    /// One of the processes that a new balancer has found.
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

    /// A generation that did not get ready is of no account.
    mutating func gaveUp(_ generation: Int) {
        for handle in processes.keys where processes[handle]?.generation == generation {
            processes[handle]?.isOutgoing = true
        }
    }

    /// What stops after the bounds were lowered is not what they are about.
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

    /// Checks that a process which is told to end is needed by nobody.
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
            .notify, .retired:
            // One that was not ready has nobody to lose.
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
        if isSessionless, grant.session != nil, grant.session != claim?.session {
            throw Violation(.sessionForNobody, "\(grant)")
        }
        // Without a lease it is led to the process alone.
        if !isSessionless, grant.session != claim?.session, let expected = expected(claim, now: now)
        {
            throw Violation(.sessionMovedWhileItsProcessLives, "from \(expected), anew by \(grant)")
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
        }
        try checkPlaces(of: grant.process, now: now)
    }

    private mutating func note(
        _ session: SessionID, on handle: ProcessHandle, isConfirmed: Bool, now: MonotonicInstant
    ) {
        if lacksLease { release(session) }
        if released.contains(session) { return }
        if var pin = pins[session], pin.process == handle {
            // A lease that may have ended meanwhile has begun anew with the ordinary idle time.
            if !isCertain(pin, now: now) {
                pin.idle = policy.sessionIdle
                pin.isConfirmed = false
            }
            // The lease that its balancer knew of is gone, and this one is as young as any.
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

    mutating func finished(_ grant: Grant, now: MonotonicInstant) {
        processes[grant.process]?.inFlight -= 1
        guard let session = grant.session, var pin = pins[session], pin.process == grant.process
        else { return }
        pin.running = max(0, pin.running - 1)
        pin.lastSeen = now
        pins[session] = pin
    }
}
