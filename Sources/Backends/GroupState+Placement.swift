/// Placement: which process a new session goes to (rule 4), and the grants.
extension GroupState {
    /// Requests in flight that a process is to have at most, as a share of its slots.
    static let targetLoad = 0.7
    private static let gateTime = Interval.seconds(5)
    /// What one placement adds to the turn of a process of weight 1.
    private static let stride: UInt64 = 1 << 20

    /// A process that can take a new session now, by the group's placement; nil: there is none.
    ///
    /// - Parameter forSession: false: for a request that needs no more than a slot.
    mutating func placeWithRoom(forSession: Bool = true) -> UInt32? {
        if forSession, isGateClosed { return nil }
        switch policy.placement {
        case .spread: return leastLoaded(forSession)
        case .pack: return fullestBelowTarget(forSession) ?? leastLoaded(forSession)
        }
    }

    func hasRoom(_ process: borrowing Process, forSession: Bool = true) -> Bool {
        hasRoomButPlaces(process) && !(forSession && isFull(process))
    }

    /// Whether it has room, but for the places of sessions.
    func hasRoomButPlaces(_ process: borrowing Process) -> Bool {
        process.phase.isReady && process.standing == .serving
            && process.inFlight < process.slots
            && process.condemned?.isIllness != true
    }

    /// Whether it has as many sessions as it may.
    func isFull(_ process: borrowing Process) -> Bool {
        policy.sessionsPerProcess > 0
            && (process.sessions + process.unpinned >= policy.sessionsPerProcess || leases.isFull
                || process.keepsPlaces)
    }

    /// By weight.
    func hasFewerSessions(_ index: Int, than other: Int) -> Bool {
        processes[index].sessions &* processes[other].weight
            < processes[other].sessions &* processes[index].weight
    }

    /// Fewest sessions, then fewest in flight, each by weight; exact ties go round.
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

    private func isLess(_ index: Int, than other: Int) -> Bool {
        let sessions = processes[index].sessions &* processes[other].weight
        let otherSessions = processes[other].sessions &* processes[index].weight
        if sessions != otherSessions { return sessions < otherSessions }
        let inFlight = processes[index].inFlight &* processes[other].weight
        let otherInFlight = processes[other].inFlight &* processes[index].weight
        if inFlight != otherInFlight { return inFlight < otherInFlight }
        return processes[index].turn < processes[other].turn
    }

    /// The one with the most sessions, then in flight, then the oldest.
    private mutating func fullestBelowTarget(_ forSession: Bool) -> UInt32? {
        var best: Int?
        for index in processes.indices where hasRoom(processes[index], forSession: forSession) {
            if processes[index].load.isAbove(Self.targetLoad, of: processes[index].threads, at: now)
            {
                continue
            }
            if let current = best, !isFuller(index, than: current) { continue }
            best = index
        }
        return best.map { UInt32($0) }
    }

    private func isFuller(_ index: Int, than other: Int) -> Bool {
        let (one, two) = (processes[index].sessions, processes[other].sessions)
        if one != two { return one > two }
        let (inFlight, otherInFlight) = (processes[index].inFlight, processes[other].inFlight)
        if inFlight != otherInFlight { return inFlight > otherInFlight }
        return processes[index].rank < processes[other].rank
    }

    /// Takes a slot; a waiter from its process's own queue brings the lease it already has.
    mutating func grant(on place: UInt32, _ intent: Intent, joined: LeaseReference? = nil) -> Grant
    {
        let index = Int(place)
        // One with a lease was counted when its process was lost; a server that is down may come back.
        let isLostUnseen =
            intent.placed == .moved
            && (!isSpawned || intent.session.flatMap { leases.find($0) } == nil)
        let lease = joined ?? joinLease(intent, at: place)
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
        noteLoad(at: place)
        var grant = Grant(
            process: handle(place), incarnation: incarnation(of: index), session: intent.session,
            affinity: intent.affinity, placed: intent.placed)
        grant.lease = lease
        grant.reservesPlace = intent.reservesPlace
        settleClaimants()
        return grant
    }

    private mutating func takeTurn(_ index: Int) {
        turn = processes[index].turn
        processes[index].turn &+= Self.stride / UInt64(processes[index].weight)
    }

    private func incarnation(of index: Int) -> Incarnation {
        guard let incarnation = processes[index].incarnation else {
            preconditionFailure("a process that was not spawned cannot be ready")
        }
        return incarnation
    }

    // MARK: The gate of a cold start

    /// Without it everybody would be pinned to the process that gets ready first.
    mutating func closeGate() {
        guard isSpawned, policy.placement == .spread, policy.minimum > 1,
            // Adopted ones are ready from the start.
            census.ready < policy.minimum
        else { return }
        gateUntil = now + Self.gateTime
    }

    var isGateClosed: Bool { gateUntil != nil }

    /// Opens the gate when the minimum is ready or the time is over; then for good.
    mutating func openGateIfDue() {
        guard let until = gateUntil, now >= until || census.ready >= policy.minimum else { return }
        gateUntil = nil
        serveGroupQueue()
    }
}
