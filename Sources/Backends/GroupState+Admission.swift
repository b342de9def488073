/// Requests: they ask for a slot, and give it back.
extension GroupState {
    mutating func acquire(_ request: AdmissionRequest) -> Admission {
        if isShuttingDown { return .refused(shed(.shuttingDown)) }
        thinOutLeases()
        var lease = liveLease(of: request.claim)
        if !due.isEmpty {
            // Whoever waits has what ended leases set free, before anybody new.
            settle()
            lease = liveLease(of: request.claim)
        }
        let decision = decide(request, lease)
        if !request.maySpawn, wouldStart(decision) { return .needsSpawn }
        confirm(lease, by: request.claim)
        switch decision {
        case .grant(let place, let intent, let choice):
            giveWay(choice)
            return .granted(grant(on: place, intent))
        case .waitForProcess(let place, let intent):
            return .queued(enqueue(request, intent, at: place))
        case .waitForGroup(let intent):
            return .queued(enqueue(request, intent))
        case .refuse(let reason):
            return .refused(shed(reason))
        }
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
        case .groupFailing: checkedServersAreBackIn ?? secondsUntilNextTry
        }
    }
}
