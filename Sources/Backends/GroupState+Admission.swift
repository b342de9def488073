/// Requests: they ask for a slot, and give it back.
extension GroupState {
    /// What is to become of a request, before anything is done about it.
    enum Decision: Equatable {
        case grant(on: UInt32, Intent)
        case waitForProcess(UInt32, Intent)
        case waitForGroup(Intent)
        case refuse(Refusal.Reason)
    }

    mutating func acquire(_ request: AdmissionRequest) -> Admission {
        if isShuttingDown { return .refused(shed(.shuttingDown)) }
        thinOutLeases()
        // Whoever waits has what that sets free, before anybody new.
        settle()
        let decision = decide(request)
        if !request.maySpawn, wouldStart(decision) { return .needsSpawn }
        let admission: Admission
        switch decision {
        case .grant(let place, let intent):
            admission = .granted(grant(on: place, intent))
        case .waitForProcess(let place, let intent):
            admission = .queued(enqueue(request, intent, at: place))
        case .waitForGroup(let intent):
            admission = .queued(enqueue(request, intent))
        case .refuse(let reason):
            admission = .refused(shed(reason))
        }
        return admission
    }

    /// Applies the placement rules; changes nothing but leases: some end, the claimed one is confirmed.
    mutating func decide(_ request: AdmissionRequest) -> Decision {
        let destination = destination(of: request.claim)
        if request.isSessionless { return decide(sessionless: destination, request) }
        switch destination {
        case .process(let place, let session, let lease):
            let intent = Intent(
                session: session, affinity: .kept, placed: .kept, lease: lease,
                isConfirmed: request.claim?.isFromClient == true)
            return decide(intent, at: place)
        case .lost(let session):
            switch policy.onLost {
            case .refuse: return .refuse(.sessionLost)
            case .reassign:
                let intent = Intent(
                    session: session, affinity: .lost, placed: .moved,
                    isConfirmed: request.claim?.isFromClient == true)
                return decide(anew: intent)
            }
        case .anew:
            let placed: Grant.Placed = request.newSession == nil ? .unpinned : .pinned
            return decide(
                anew: Intent(
                    session: request.newSession, affinity: .new, placed: placed,
                    reservesPlace: request.newSession == nil))
        }
    }

    /// Where sessions have no say: a live one is renewed, none begins, and one that is lost is no matter.
    private mutating func decide(
        sessionless destination: Destination, _ request: AdmissionRequest
    ) -> Decision {
        switch destination {
        case .process(let place, let session, let lease):
            let intent = Intent(
                session: lease.map { _ in session }, affinity: .kept, placed: .kept, lease: lease,
                isConfirmed: request.claim?.isFromClient == true)
            return decide(intent, at: place)
        case .lost, .anew:
            let intent = Intent(session: nil, affinity: .new, placed: .unpinned)
            return decide(anew: intent, needsPlace: false)
        }
    }

    /// Rule 1: the session's own process, at once or in its queue.
    private func decide(_ intent: Intent, at place: UInt32) -> Decision {
        let waiting = processes[Int(place)].queue.count
        if waiting == 0 && processes[Int(place)].inFlight < processes[Int(place)].slots {
            return .grant(on: place, intent)
        }
        if waiting >= policy.processQueueLimit { return .refuse(.processQueueFull) }
        return .waitForProcess(place, intent)
    }

    /// Rules 4 and 5: a process with room, or the group's queue.
    private mutating func decide(anew intent: Intent, needsPlace: Bool = true) -> Decision {
        // Its routes are gone; what still comes has begun before.
        if isRetired { return .refuse(.shuttingDown) }
        if isHopeless { return .refuse(.groupFailing) }
        if !needsPlace {
            // Whoever waits while there is a free slot waits for a place.
            if let place = placeWithRoom(forSession: false) { return .grant(on: place, intent) }
        } else if queue.count == 0, let place = placeWithRoom() ?? placeByGivingWay() {
            return .grant(on: place, intent)
        }
        if queue.count >= policy.queueLimit { return .refuse(.queueFull) }
        return .waitForGroup(intent)
    }

    mutating func finished(
        _ grant: Grant, _ outcome: ExchangeOutcome
    ) {
        guard let place = find(grant.process) else {
            // Its slots went with the process.
            releaseLease(of: grant)
            return
        }
        giveBackSlot(grant, at: place)
        record(outcome, at: place)
        releaseLease(of: grant)
        condemnIfSpent(place)
    }

    mutating func overdue(_ grant: Grant) {
        guard let place = find(grant.process) else { return }
        processes[Int(place)].errorsTotal += 1
        noteFailure(of: place)
    }

    mutating func giveBackSlot(_ grant: Grant, at place: UInt32) {
        let index = Int(place)
        precondition(processes[index].inFlight > 0, "a slot was given back twice")
        processes[index].inFlight -= 1
        inFlight -= 1
        if let before = processes[index].probation {
            processes[index].probation = min(before, processes[index].inFlight)
        }
        if grant.reservesPlace, grant.session == nil {
            processes[index].unpinned = max(0, processes[index].unpinned - 1)
        }
        processes[index].idleSince = now
        noteLoad(at: place)
        noteFreeSlot(at: place)
    }

    mutating func record(_ outcome: ExchangeOutcome, at place: UInt32) {
        let index = Int(place)
        switch outcome {
        case .served:
            processes[index].requestsTotal += 1
            processes[index].hasServed = true
            noteAnswer(of: place)
            noteServed(readyFor: processes[index].readyFor(at: now))
        case .failed:
            processes[index].requestsTotal += 1
            processes[index].errorsTotal += 1
            noteFailure(of: place)
        case .abandoned:
            processes[index].requestsTotal += 1
        case .connectFailed:
            processes[index].errorsTotal += 1
            connectFailed(place)
        }
    }

    /// Slots in use have changed.
    mutating func noteLoad(at place: UInt32) {
        noteDemand()
        load.set(inFlight, at: now)
        if !policy.fillsAllEvenly {
            processes[Int(place)].load.set(processes[Int(place)].inFlight, at: now)
        }
    }

    /// Counts a refusal.
    mutating func shed(_ reason: Refusal.Reason) -> Refusal {
        switch reason {
        case .queueFull:
            totals.rejected += 1
            noteLimit()
            hasRefusedForRoom = true
            due.formUnion(.demand)
        case .processQueueFull: totals.rejected += 1
        case .queueTimeout: totals.timedOut += 1
        case .groupFailing:
            probeWanted = true
            due.formUnion(.demand)
        case .sessionLost, .shuttingDown: break
        }
        orders.events.append(.shed(reason))
        return Refusal(reason: reason, retryAfterSeconds: retryAfter(reason))
    }

    private func retryAfter(_ reason: Refusal.Reason) -> Int {
        switch reason {
        case .queueFull, .processQueueFull, .sessionLost: 1
        // Whoever waited in vain meets a group that is slower than its users are.
        case .queueTimeout, .shuttingDown: 5
        case .groupFailing: secondsUntilNextTry
        }
    }
}
