/// Requests: acquiring a slot and returning it.
extension GroupState {
    mutating func acquire(_ request: AdmissionRequest) -> Admission {
        if isShuttingDown { return .refused(shed(.shuttingDown)) }
        thinOutLeases()
        var lease = liveLease(of: request.claim)
        if !due.isEmpty {
            // Waiters get the slots of leases that have ended before any new request does.
            settle()
            lease = liveLease(of: request.claim)
        }
        let decision = decide(request, lease)
        if decision.waits, hasWaitedEnough(request) { return .refused(shed(.queueTimeout)) }
        if !request.maySpawn, wouldStart(decision) { return .needsSpawn }
        confirm(lease, by: request.claim)
        switch decision {
        case .grant(let entry, let intent, let choice):
            giveWay(choice)
            return .granted(grant(on: entry, intent))
        case .waitForProcess(let entry, let intent):
            return .queued(enqueue(request, intent, at: entry))
        case .waitForGroup(let intent):
            return .queued(enqueue(request, intent))
        case .refuse(let reason):
            return .refused(shed(reason))
        }
    }

    mutating func finished(
        _ grant: Grant, _ outcome: ExchangeOutcome, isAnswered: Bool
    ) {
        guard let entry = find(grant.process) else {
            // Its slots disappeared with the process.
            releaseLease(of: grant, isAnswered: isAnswered)
            return
        }
        giveBackSlot(grant, at: entry)
        // Before the outcome, which may stop the process: a session without a cookie is not lost.
        releaseLease(of: grant, isAnswered: isAnswered)
        record(outcome, at: entry)
        markIfSpent(entry)
    }

    mutating func overdue(_ grant: Grant) {
        guard let entry = find(grant.process) else { return }
        processes[Int(entry)].errorsTotal += 1
        noteFailure(of: entry)
    }

    mutating func giveBackSlot(_ grant: Grant, at entry: UInt32) {
        let index = Int(entry)
        precondition(processes[index].inFlight > 0, "a slot was given back twice")
        processes[index].inFlight -= 1
        inFlight -= 1
        if let before = processes[index].server.probation {
            processes[index].server.probation = min(before, processes[index].inFlight)
        }
        if grant.reservesPlace, grant.session == nil {
            processes[index].unpinned = max(0, processes[index].unpinned - 1)
        }
        processes[index].idleSince = now
        noteLoad(at: entry)
        noteFreeSlot(at: entry)
    }

    mutating func record(_ outcome: ExchangeOutcome, at entry: UInt32) {
        let index = Int(entry)
        switch outcome {
        case .served:
            processes[index].requestsTotal += 1
            processes[index].hasServed = true
            noteAnswer(of: entry)
            noteServed(readyFor: processes[index].readyFor(at: now))
        case .failed:
            processes[index].requestsTotal += 1
            processes[index].errorsTotal += 1
            noteFailure(of: entry)
        case .abandoned:
            processes[index].requestsTotal += 1
        case .connectFailed:
            processes[index].errorsTotal += 1
            connectFailed(entry)
        }
    }

    /// The number of slots in use has changed.
    mutating func noteLoad(at entry: UInt32) {
        noteDemand()
        load.set(inFlight, at: now)
        if !policy.fillsAllEvenly {
            processes[Int(entry)].load.set(processes[Int(entry)].inFlight, at: now)
        }
    }

    /// Counts a refusal and returns it.
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
        // A waiter that timed out means that the group is slower than its clients; retrying at once
        // would not help.
        case .queueTimeout, .shuttingDown: 5
        case .groupFailing: checkedServersAreBackIn ?? secondsUntilNextTry
        }
    }
}
