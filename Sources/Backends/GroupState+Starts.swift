/// Starts: how many processes are wanted, and when one may be started (rule 5 and back-off).
extension GroupState {
    /// Orders the starts that are wanted and permitted.
    mutating func startWhatIsNeeded() {
        thinOutDraining()
        // A request that was refused because the queue was full also needed a process.
        let demand = max(queue.count, hasRefusedForRoom ? 1 : 0)
        hasRefusedForRoom = false
        backoffEnd = nil
        guard isSpawned && !isShuttingDown && !isRetired else { return }
        let wasWaiting = budgetRetryAt != nil
        budgetRetryAt = nil
        lacksRoom = false
        while mayStart, let reason = wantedStart(demand: demand) {
            guard start(reason, generation: generation, standing: .serving) != nil else { break }
            if reason == .probe { probeWanted = false }
        }
        startIncoming()
        startReplacement()
        if wasWaiting, budgetRetryAt == nil { budget?.withdraw(group: index) }
        if !lacksRoom { forgetLackOfRoom() }
        backoffEnd = wantedBackoffEnd
    }

    /// Orders a start, unless the shared budget is used up.
    mutating func start(
        _ reason: SpawnReason, generation: Int, standing: Standing
    ) -> ProcessHandle? {
        let need = need(for: reason, standing)
        switch budget?.ask(group: index, rank: lastRank + 1, need: need, now: now) ?? .granted {
        case .granted: break
        case .wait:
            askAgain(in: Self.budgetPause)
            return nil
        case .full(let makesRoom):
            // The longer the lack of room lasts, the less often it is checked.
            let waited = roomlessSince.map { (now - $0).nanoseconds } ?? 0
            let pause = Interval(nanoseconds: waited / 8)
            askAgain(
                in: need == .comfort
                    ? Self.longestBudgetPause
                    : min(max(pause, Self.budgetPause), Self.longestBudgetPause))
            if makesRoom { orders.wantsRoom = true }
            if need != .comfort { noteRoomless(reason) }
            return nil
        }
        let entry = occupy(
            .starting(until: now + policy.startTimeout), generation: generation,
            standing: standing)
        processes[Int(entry)].reason = reason
        totals.spawned += 1
        orders.supervision.append(.spawn(handle(entry), reason: reason, generation: generation))
        orders.events.append(.spawning(handle(entry), reason))
        touch(entry)
        return handle(entry)
    }

    /// How urgently the group needs a process started for this reason.
    private func need(for reason: SpawnReason, _ standing: Standing) -> StartNeed {
        if standing == .serving, census.ready == 0, census.starting == 0 { return .nothingServes }
        return switch reason {
        case .minimum, .recycle: .replacement
        case .queue, .load, .probe, .rollout, .scale: .growth
        case .sessions, .spare: .comfort
        }
    }

    /// A start that only sleeps does not delay other groups' starts.
    mutating func noteSleep(of handle: ProcessHandle, _ sleeps: Bool) {
        guard let entry = find(handle), processes[Int(entry)].phase.isStarting else { return }
        budget?.noteSleep(group: index, rank: processes[Int(entry)].rank, sleeps)
    }

    private mutating func askAgain(in pause: Interval) {
        budgetRetryAt = min(budgetRetryAt ?? now + pause, now + pause)
    }

    /// Records once that a start has waited for longer than an idle process elsewhere needs to
    /// stop.
    private mutating func noteRoomless(_ reason: SpawnReason) {
        lacksRoom = true
        // No start will help, so sessions may have to give way.
        if roomlessSince == nil { due.insert(Due(.giveWay)) }
        let since = roomlessSince ?? now
        roomlessSince = since
        guard !isRoomlessReported, now - since >= Self.roomPatience else { return }
        isRoomlessReported = true
        orders.events.append(.waitingForRoom(reason))
    }

    /// The group wants no more processes, so it must not stay ahead of others in the budget's
    /// queue.
    mutating func stopWaitingForBudget() {
        budgetRetryAt = nil
        forgetLackOfRoom()
        budget?.withdraw(group: index)
    }

    /// Starts a replacement, which may exceed `max`; nil: not now.
    mutating func startOne(_ reason: SpawnReason) -> ProcessHandle? {
        guard census.live <= policy.maximum,
            backoff.inARow == 0 || (backoff.until <= now && census.starting == 0)
        else { return nil }
        return start(reason, generation: generation, standing: .serving)
    }

    mutating func forgetLackOfRoom() {
        roomlessSince = nil
        isRoomlessReported = false
    }

    /// How soon a start that the budget delayed is tried again.
    private static let budgetPause = Interval.milliseconds(20)
    private static let longestBudgetPause = Interval.seconds(1)
    private static let roomPatience = Interval.seconds(2)

    /// No start, under way or permitted, will make room for the waiters.
    var isStartInVain: Bool {
        guard isSpawned else { return true }
        if max(queue.count, 1) <= census.starting * waitersPerStart { return false }
        return !mayStart || roomlessSince != nil
    }

    /// Whether there is room for another process, and no reason against starting it now.
    ///
    /// Until a first process becomes ready at most eight are started at once, and after a failure
    /// one at a time: what fails one process most likely fails all of them.
    private var mayStart: Bool {
        guard census.live < mostProcesses, census.starting + census.ready < policy.maximum
        else { return false }
        if backoff.inARow == 0 {
            return isProven || census.starting < Backoff.failingAfter
        }
        return census.starting == 0 && backoff.until <= now
    }

    private func wantedStart(demand: Int) -> SpawnReason? {
        if backoff.isFailing {
            return isBelowMinimum || probeWanted || demand > 0 ? .probe : nil
        }
        if isBelowMinimum { return .minimum }
        // The governor: waiters that the starts in flight will serve need no further one.
        if demand > census.starting * waitersPerStart { return .queue }
        if isAboveTarget { return .load }
        if areSessionsAboveTarget { return .sessions }
        if isShortOfSpare { return .spare }
        return nil
    }

    /// Whether one more request of this kind would cause a start.
    ///
    /// Starts caused by overall load are not one client's doing, so load is not considered.
    func wouldStart(_ decision: Decision) -> Bool {
        guard isSpawned, !isRetired, mayStart else { return false }
        switch decision {
        case .waitForGroup:
            // Starts that the waiters before it need, and that the budget delays, are not
            // attributed to it.
            return queue.count + 1 > census.starting * waitersPerStart
                && queue.count.isMultiple(of: waitersPerStart)
        case .grant(let entry, let intent, _):
            guard intent.placed != .kept, policy.spare > 0, census.ready >= policy.minimum,
                processes[Int(entry)].isUnused(at: now)
            else { return false }
            return unusedProcesses + census.starting <= policy.spare
        case .refuse(.queueFull):
            // A request that may not even wait causes a start all the same.
            return queue.count == 0 && census.starting == 0
        case .waitForProcess, .refuse: return false
        }
    }

    /// Fewer than `spare` processes are ready for new sessions.
    private var isShortOfSpare: Bool {
        guard policy.spare > 0, isStarted, census.ready >= policy.minimum else { return false }
        return unusedProcesses + census.starting < policy.spare
    }

    private var unusedProcesses: Int {
        processes.indices.count {
            processes[$0].standing == .serving && processes[$0].phase.isReady
                && processes[$0].isUnused(at: now)
        }
    }

    var isBelowMinimum: Bool {
        isStarted && census.starting + census.ready < policy.minimum
    }

    /// How many new sessions one process can take at once.
    private var waitersPerStart: Int {
        policy.sessionsPerProcess == 0
            ? policy.threads : min(policy.threads, policy.sessionsPerProcess)
    }

    /// Pins cannot be undone: the next process starts while there is still room on the others.
    private var isAboveTarget: Bool {
        census.starting == 0 && census.ready > 0
            && load.isAbove(Self.targetLoad, of: census.ready * policy.threads, at: now)
    }

    /// The same by sessions: many may be quiet now, but not for ever.
    private var areSessionsAboveTarget: Bool {
        census.starting == 0 && census.ready > 0 && areSessionsMany(for: census.ready)
    }

    /// Counts that a process was wanted but `max` prevented it.
    mutating func noteLimit() {
        if isSpawned && census.live >= policy.maximum
            && max(queue.count, 1) > census.starting * waitersPerStart
        {
            totals.limitReached += 1
        }
    }

    /// When the back-off permits a wanted start; nil: none is wanted, or time alone changes
    /// nothing.
    private var wantedBackoffEnd: MonotonicInstant? {
        guard backoff.inARow > 0, backoff.until > now, census.starting == 0 else { return nil }
        let isWanted =
            census.live < policy.maximum
            && (isBelowMinimum || queue.count > 0 || (backoff.isFailing && probeWanted))
        return isWanted || hasMarkedForRecycling ? backoff.until : nil
    }

    // MARK: Failures

    mutating func noteFailedStart() -> Interval {
        isProven = false
        due.formUnion(.demand)
        return backoff.startFailed(now: now, using: &generator)
    }

    /// A ready process has exited or become unusable.
    mutating func noteLoss(of entry: UInt32) {
        let index = Int(entry)
        if processes[index].hasServed {
            backoff.crashed(
                startedAt: processes[index].startedAt, readyFor: processes[index].readyFor(at: now),
                now: now, using: &generator)
        } else {
            _ = noteFailedStart()
        }
        reportIfFailing()
    }

    /// Records the failing state once.
    mutating func reportIfFailing() {
        guard backoff.isFailing && !isKnownAsFailing else { return }
        isKnownAsFailing = true
        orders.events.append(.failing(retryIn: backoff.left(at: now)))
    }

    mutating func noteServed(readyFor: Interval) {
        backoff.served(readyFor: readyFor)
        isProven = true
        reportIfRecovered()
    }

    mutating func reportIfRecovered() {
        guard isKnownAsFailing && !backoff.isFailing else { return }
        isKnownAsFailing = false
        probeWanted = false
        orders.events.append(.recovered)
    }

    /// Forgets every failure: an administrator has fixed the cause.
    mutating func reset() {
        backoff.reset()
        reportIfRecovered()
        endOutages(evenEarly: true)
        due.formUnion(.group)
    }

    // MARK: Hope

    /// No process is ready and none will be soon: waiting is pointless.
    var isHopeless: Bool {
        if census.ready > 0 { return false }
        if isRetired { return true }
        if awaitsNames { return false }
        if !isSpawned || backoff.isFailing { return true }
        return census.starting == 0 && backoff.inARow > 0 && backoff.until > now
    }

    mutating func refuseIfHopeless() {
        guard queue.count > 0 && isHopeless && !isShuttingDown else { return }
        refuseGroupQueue(.groupFailing)
    }

    /// For Retry-After: time until the next start attempt, rounded up.
    var secondsUntilNextTry: Int {
        var left = backoff.left(at: now)
        if !isSpawned {
            for index in processes.indices {
                if case .down(let until) = processes[index].phase {
                    left = left == .zero ? until - now : min(left, until - now)
                }
            }
        }
        return max(1, Int((left.nanoseconds + 999_999_999) / 1_000_000_000))
    }
}
