/// Starts: how many processes are wanted, and when one may be started (rule 5 and back-off).
extension GroupState {
    /// Orders the starts that are wanted and permitted.
    mutating func startWhatIsNeeded() {
        thinOutDraining()
        // Somebody who could not even wait would have needed a process.
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

    /// Orders a start, unless the budget of all groups has none left.
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
            // The longer it lasts the less it is looked at.
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

    /// How much the group needs a process that is to start for a reason.
    private func need(for reason: SpawnReason, _ standing: Standing) -> StartNeed {
        if standing == .serving, census.ready == 0, census.starting == 0 { return .nothingServes }
        return switch reason {
        case .minimum, .recycle: .replacement
        case .queue, .load, .probe, .rollout, .scale: .growth
        case .sessions, .spare: .comfort
        }
    }

    /// A start that only sleeps does not keep other groups' starts waiting.
    mutating func noteSleep(of handle: ProcessHandle, _ sleeps: Bool) {
        guard let entry = find(handle), processes[Int(entry)].phase.isStarting else { return }
        budget?.noteSleep(group: index, rank: processes[Int(entry)].rank, sleeps)
    }

    private mutating func askAgain(in pause: Interval) {
        budgetRetryAt = min(budgetRetryAt ?? now + pause, now + pause)
    }

    /// Tells once that a start has waited for longer than an idle process elsewhere needs to go.
    private mutating func noteRoomless(_ reason: SpawnReason) {
        lacksRoom = true
        // No start will help, so others may have to give way.
        if roomlessSince == nil { due.insert(Due(.giveWay)) }
        let since = roomlessSince ?? now
        roomlessSince = since
        guard !isRoomlessTold, now - since >= Self.roomPatience else { return }
        isRoomlessTold = true
        orders.events.append(.waitingForRoom(reason))
    }

    /// No process is wanted any more: the others are not to stand behind this group.
    mutating func stopWaitingForBudget() {
        budgetRetryAt = nil
        forgetLackOfRoom()
        budget?.withdraw(group: index)
    }

    /// A replacement, which may stand above `max`; nil: not now.
    mutating func startOne(_ reason: SpawnReason) -> ProcessHandle? {
        guard census.live <= policy.maximum,
            backoff.inARow == 0 || (backoff.until <= now && census.starting == 0)
        else { return nil }
        return start(reason, generation: generation, standing: .serving)
    }

    mutating func forgetLackOfRoom() {
        roomlessSince = nil
        isRoomlessTold = false
    }

    /// How soon a start that the budget held up is tried again.
    private static let budgetPause = Interval.milliseconds(20)
    private static let longestBudgetPause = Interval.seconds(1)
    private static let roomPatience = Interval.seconds(2)

    /// No start, under way or permitted, will make room for whoever waits.
    var isStartInVain: Bool {
        guard isSpawned else { return true }
        if max(queue.count, 1) <= census.starting * waitersPerStart { return false }
        return !mayStart || roomlessSince != nil
    }

    /// Room for another process, and nothing known that speaks against starting it now.
    ///
    /// Until a first process got ready no more than eight are tried at once, and after a failure
    /// one at a time: whatever is wrong is most likely wrong with all of them.
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

    /// Whether one more request of this kind would make a process be started.
    ///
    /// The load of many is nobody's own doing, and is not looked at.
    func wouldStart(_ decision: Decision) -> Bool {
        guard isSpawned, !isRetired, mayStart else { return false }
        switch decision {
        case .waitForGroup:
            // Starts that the waiters before it need and the budget holds up are theirs.
            return queue.count + 1 > census.starting * waitersPerStart
                && queue.count.isMultiple(of: waitersPerStart)
        case .grant(let entry, let intent, _):
            guard intent.placed != .kept, policy.spare > 0, census.ready >= policy.minimum,
                processes[Int(entry)].isUnused(at: now)
            else { return false }
            return unusedProcesses + census.starting <= policy.spare
        case .refuse(.queueFull):
            // Whoever may not even wait makes one be started all the same.
            return queue.count == 0 && census.starting == 0
        case .waitForProcess, .refuse: return false
        }
    }

    /// Fewer than `spare` are ready for whoever comes next.
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

    /// Pins cannot be undone: the next process is started while there is still room on the others.
    private var isAboveTarget: Bool {
        census.starting == 0 && census.ready > 0
            && load.isAbove(Self.targetLoad, of: census.ready * policy.threads, at: now)
    }

    /// The same by sessions: many of them may be quiet, and will not be for ever.
    private var areSessionsAboveTarget: Bool {
        census.starting == 0 && census.ready > 0 && areSessionsMany(for: census.ready)
    }

    /// Counts that a process was wanted and `max` forbade it.
    mutating func noteLimit() {
        if isSpawned && census.live >= policy.maximum
            && max(queue.count, 1) > census.starting * waitersPerStart
        {
            totals.limitReached += 1
        }
    }

    /// When the back-off permits a start that is wanted; nil: none is, or time alone changes nothing.
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

    /// A process that was ready has ended, or is of no use any more.
    mutating func noteLoss(of entry: UInt32) {
        let index = Int(entry)
        if processes[index].hasServed {
            backoff.crashed(
                startedAt: processes[index].startedAt, readyFor: processes[index].readyFor(at: now),
                now: now, using: &generator)
        } else {
            _ = noteFailedStart()
        }
        tellIfFailing()
    }

    /// The failure that makes a group a failing one is told once.
    mutating func tellIfFailing() {
        guard backoff.isFailing && !isKnownAsFailing else { return }
        isKnownAsFailing = true
        orders.events.append(.failing(retryIn: backoff.left(at: now)))
    }

    mutating func noteServed(readyFor: Interval) {
        backoff.served(readyFor: readyFor)
        isProven = true
        tellIfRecovered()
    }

    mutating func tellIfRecovered() {
        guard isKnownAsFailing && !backoff.isFailing else { return }
        isKnownAsFailing = false
        probeWanted = false
        orders.events.append(.recovered)
    }

    /// Forgets every failure: an administrator has mended what was broken.
    mutating func reset() {
        backoff.reset()
        tellIfRecovered()
        endOutages(evenEarly: true)
        due.formUnion(.group)
    }

    // MARK: Hope

    /// Nothing is ready and nothing will be soon: whoever waits would wait in vain.
    var isHopeless: Bool {
        if census.ready > 0 { return false }
        if isRetired { return true }
        if !isSpawned || backoff.isFailing { return true }
        return census.starting == 0 && backoff.inARow > 0 && backoff.until > now
    }

    mutating func refuseIfHopeless() {
        guard queue.count > 0 && isHopeless && !isShuttingDown else { return }
        refuseGroupQueue(.groupFailing)
    }

    /// For Retry-After: when the next process is tried, rounded up.
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
