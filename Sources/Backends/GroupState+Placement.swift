/// Placement: which process a new session goes to (rule 4), and granting slots.
extension GroupState {
    /// The target of requests in flight per process, as a share of its slots.
    static let targetLoad = 0.7
    /// The target of sessions per slot, for processes without session places: if all users click at
    /// once, each request waits for a few others.
    private static let sessionsPerSlot = 10
    private static let gateTime = Interval.seconds(5)
    /// What one placement adds to the turn of a process whose share is 1.
    private static let stride: UInt64 = 1 << 28

    /// A process that can take a new session now, by the group's placement; nil: there is none.
    ///
    /// - Parameter forSession: false: for a request that needs only a slot.
    func findRoom(forSession: Bool = true) -> (UInt32, Choice)? {
        if forSession, isGateClosed { return nil }
        if policy.fillsAllEvenly { return leastLoaded(forSession).map { ($0, .fewest) } }
        if policy.placement == .auto, let entry = leastLoadedPermanent(forSession) {
            return (entry, .fewestPermanent)
        }
        if let entry = fullestBelowTarget(forSession) { return (entry, .fullestBelowTarget) }
        return leastLoaded(forSession).map { ($0, .fewest) }
    }

    func hasRoom(_ process: borrowing Process, forSession: Bool = true) -> Bool {
        hasRoomButPlaces(process) && !(forSession && isFull(process))
    }

    /// Whether it has room, not counting session places.
    func hasRoomButPlaces(_ process: borrowing Process) -> Bool {
        process.phase.isReady && process.standing == .serving
            && process.inFlight < process.slots
            && process.markedForRecycling?.isIllness != true
    }

    /// Whether it has as many sessions as it may have.
    func isFull(_ process: borrowing Process) -> Bool {
        policy.sessionsPerProcess > 0
            && (process.sessions + process.unpinned >= policy.sessionsPerProcess || leases.isFull
                || process.keepsPlaces)
    }

    /// Compares by weight.
    func hasFewerSessions(_ index: Int, than other: Int) -> Bool {
        processes[index].sessions &* processes[other].shareOfSessions
            < processes[other].sessions &* processes[index].shareOfSessions
    }

    /// Fewest sessions, then fewest in flight, each by weight; exact ties take turns.
    private func leastLoaded(_ forSession: Bool) -> UInt32? {
        var best: Int?
        for index in processes.indices where hasRoom(processes[index], forSession: forSession) {
            guard let current = best else {
                best = index
                continue
            }
            if isLess(index, than: current) { best = index }
        }
        return best.map { UInt32($0) }
    }

    /// The same among the permanent processes that are below their target.
    private func leastLoadedPermanent(_ forSession: Bool) -> UInt32? {
        var best: Int?
        for index in processes.indices
        where processes[index].isPermanent && hasRoom(processes[index], forSession: forSession)
            && isBelowTarget(index)
        {
            if let current = best, !isLess(index, than: current) { continue }
            best = index
        }
        return best.map { UInt32($0) }
    }

    private func isLess(_ index: Int, than other: Int) -> Bool {
        let sessions = processes[index].sessions &* processes[other].shareOfSessions
        let otherSessions = processes[other].sessions &* processes[index].shareOfSessions
        if sessions != otherSessions { return sessions < otherSessions }
        let inFlight = processes[index].inFlight &* processes[other].shareOfSessions
        let otherInFlight = processes[other].inFlight &* processes[index].shareOfSessions
        if inFlight != otherInFlight { return inFlight < otherInFlight }
        return processes[index].turn < processes[other].turn
    }

    /// The process with the most sessions, then most in flight, then the oldest.
    private func fullestBelowTarget(_ forSession: Bool) -> UInt32? {
        var best: Int?
        for index in processes.indices
        where hasRoom(processes[index], forSession: forSession) && isBelowTarget(index) {
            if let current = best, !isFuller(index, than: current) { continue }
            best = index
        }
        return best.map { UInt32($0) }
    }

    /// Whether a process is below its target of sessions and requests.
    func isBelowTarget(_ index: Int) -> Bool {
        let threads = processes[index].threads
        if policy.sessionsPerProcess == 0,
            processes[index].sessions >= Self.sessionsPerSlot * threads
        {
            return false
        }
        return !processes[index].load.isAbove(Self.targetLoad, of: threads, at: now)
    }

    /// Whether so many ready processes are nearly full of sessions, or more.
    ///
    /// With one session per process each is full at once: there, `spare` defines what is kept
    /// ready.
    func areSessionsMany(for count: Int) -> Bool {
        let places = policy.sessionsPerProcess
        // Without processes there are no sessions to count.
        if places == 1 || count == 0 { return false }
        // Fewer than 3 in 10 of one process's places are left.
        let most =
            places > 0
            ? places * count - (3 * places + 9) / 10
            : Self.sessionsPerSlot * policy.threads * count
        if leases.count + inFlight <= most { return false }
        var sessions = 0
        for index in processes.indices
        where processes[index].standing == .serving && processes[index].phase.isReady {
            sessions += processes[index].sessions
            if places > 0 { sessions += processes[index].unpinned }
        }
        return sessions > most
    }

    private func isFuller(_ index: Int, than other: Int) -> Bool {
        let (one, two) = (processes[index].sessions, processes[other].sessions)
        if one != two { return one > two }
        let (inFlight, otherInFlight) = (processes[index].inFlight, processes[other].inFlight)
        if inFlight != otherInFlight { return inFlight > otherInFlight }
        return processes[index].rank < processes[other].rank
    }

    /// Takes a slot; a waiter from the process's own queue brings its lease.
    mutating func grant(on entry: UInt32, _ intent: Intent, joined: LeaseReference? = nil) -> Grant
    {
        let index = Int(entry)
        // A session with a lease was counted when its process was lost; a server that is down may
        // return.
        let isLostUnseen =
            intent.placed == .moved
            && (!isSpawned || intent.session.flatMap { leases.find($0) } == nil)
        let lease = joined ?? joinLease(intent, at: entry)
        switch intent.placed {
        case .kept: break
        case .moved:
            totals.sessionsMoved += 1
            if isLostUnseen { totals.sessionsLost += 1 }
            takeTurn(index)
        case .pinned:
            totals.sessionsCreated += 1
            takeTurn(index)
        case .unpinned:
            if intent.reservesPlace { processes[index].unpinned += 1 }
            takeTurn(index)
        }
        processes[index].inFlight += 1
        inFlight += 1
        noteLoad(at: entry)
        var grant = Grant(
            process: handle(entry), incarnation: incarnation(of: index), session: intent.session,
            affinity: intent.affinity, placed: intent.placed)
        grant.lease = lease
        grant.reservesPlace = intent.reservesPlace
        return grant
    }

    private mutating func takeTurn(_ index: Int) {
        turn = processes[index].turn
        processes[index].turn &+= Self.stride / UInt64(processes[index].shareOfSessions)
    }

    private func incarnation(of index: Int) -> Incarnation {
        guard let incarnation = processes[index].incarnation else {
            preconditionFailure("a process that was not spawned cannot be ready")
        }
        return incarnation
    }

    // MARK: The gate of a cold start

    /// Without the gate, all sessions would be pinned to the process that becomes ready first.
    mutating func closeGate() {
        guard isSpawned, policy.placement != .pack, policy.minimum > 1,
            // Adopted processes are ready from the start.
            census.ready < policy.minimum
        else { return }
        gateUntil = now + Self.gateTime
    }

    var isGateClosed: Bool { gateUntil != nil }

    /// Opens the gate, for good, when the minimum is ready or the time is over.
    mutating func openGateIfDue() {
        guard let until = gateUntil, now >= until || census.ready >= policy.minimum else { return }
        gateUntil = nil
        due.insert(Due(.serveGroup))
    }
}
