/// Time: what is due, and when to check again.
extension GroupState {
    mutating func advance() {
        guard isStarted || !isSpawned else { return }
        endIdleLeases()
        openKeptPlaces()
        recordIfDue()
        due.formUnion(.group)
        due.insert(Due(.refuseLate))
        if isProcessDue { checkProcesses() }
        settle()
        // Handling one process may make another due.
        while isProcessDue {
            checkProcesses()
            settle()
        }
    }

    /// How long an ended lease may stay where no session waits for its place.
    private static let moment: Int64 = 50_000_000

    /// When to end a lease whose time is over.
    ///
    /// Leases that end within the same moment end in one step: each step costs the group a look
    /// at everything, so a crowd that leaves must not cost one for each of its sessions. Where
    /// processes have few places for sessions, each is free as soon as its session ends.
    func collection(of end: MonotonicInstant) -> MonotonicInstant {
        let rest = end.nanoseconds % Self.moment
        if rest == 0 || policy.sessionsPerProcess > 0 { return end }
        return end + Interval(nanoseconds: Self.moment - rest)
    }

    var nextDeadline: MonotonicInstant? {
        var earliest = leases.nextCheck.map { collection(of: $0) }
        func consider(_ candidate: MonotonicInstant?) {
            guard let candidate else { return }
            earliest = earliest.map { min($0, candidate) } ?? candidate
        }
        consider(processCheck)
        consider(timeout(of: queue))
        consider(gateUntil)
        consider(withheld?.until)
        consider(givingWayAt)
        consider(placesKeptUntil)
        consider(recordingAt)
        consider(thinningAt)
        consider(budgetRetryAt)
        consider(backoffEnd)
        return earliest
    }

    /// How often to check whether an idle process is still needed for the others' sessions.
    private static let sessionsCheck = Interval.seconds(10)

    private var isProcessDue: Bool { processCheck.map { $0 <= now } ?? false }

    private mutating func checkProcesses() {
        processCheck = nil
        endOutages()
        for index in processes.indices { doWhatIsDue(UInt32(index)) }
        touchAll()
        due.formUnion([Due(.evict), Due(.refuseLate)])
    }

    private mutating func doWhatIsDue(_ entry: UInt32) {
        switch processes[Int(entry)].phase {
        case .starting(let until): if until <= now { startTimedOut(entry) }
        case .ready:
            growShare(of: entry)
            markIfOld(entry)
            noteUse(of: entry)
        case .draining: giveUpIfDue(entry)
        case .stopping(_, let killAt):
            if let killAt, killAt <= now { kill(entry, .stopTimedOut) }
        case .down, .gone: break
        }
    }

    /// A process has drained for long enough: its remaining sessions are lost.
    private mutating func giveUpIfDue(_ entry: UInt32) {
        guard case .draining = processes[Int(entry)].phase,
            let until = processes[Int(entry)].drainUntil, until <= now
        else { return }
        if isSpawned { stop(entry, .drainTimeout) } else { endDraining(of: entry) }
    }

    /// When a process next needs attention.
    private func deadline(of entry: UInt32) -> MonotonicInstant? {
        switch processes[Int(entry)].phase {
        case .starting(let until), .down(let until): return until
        case .stopping(_, let killAt): return killAt
        case .draining:
            let process = processes[Int(entry)]
            return earliest(
                timeout(of: process.queue), process.drainUntil,
                process.keepUntil.flatMap { $0 > now ? $0 : nil })
        case .ready:
            let process = processes[Int(entry)]
            let known = earliest(
                timeout(of: process.queue), evictionTime(of: entry),
                process.markedForRecycling == nil ? process.ageLimit : nil)
            return earliest(known, process.server.slowStart?.next, nil)
        case .gone: return nil
        }
    }

    private func earliest(
        _ first: MonotonicInstant?, _ second: MonotonicInstant?, _ third: MonotonicInstant?
    ) -> MonotonicInstant? {
        var earliest = first
        if let second { earliest = earliest.map { min($0, second) } ?? second }
        if let third { earliest = earliest.map { min($0, third) } ?? third }
        return earliest
    }

    /// Schedules a check of a process, if that is earlier than the one scheduled.
    private mutating func schedule(_ entry: UInt32) {
        guard let deadline = deadline(of: entry) else { return }
        processCheck = processCheck.map { min($0, deadline) } ?? deadline
    }

    /// Schedules the processes that have changed, or all if the change affects the others.
    mutating func scheduleTouched() {
        if isScheduleStale {
            isScheduleStale = false
            for index in processes.indices { schedule(UInt32(index)) }
        } else {
            for entry in touched { schedule(entry) }
        }
        for entry in touched { processes[Int(entry)].isTouched = false }
        touched.removeAll(keepingCapacity: true)
    }

    // MARK: Eviction of idle transient processes

    /// When an unused process will be evicted; nil: it is in use, or `min` needs it.
    private func evictionTime(of entry: UInt32) -> MonotonicInstant? {
        guard isSpawned && census.ready > policy.minimum + policy.spare else { return nil }
        let process = processes[Int(entry)]
        guard process.phase.isReady && process.standing == .serving && !process.isShared else {
            return nil
        }
        var time = process.idleSince + process.idleTimeout
        // Without it, another process would be started for the sessions.
        if time <= now, areSessionsMany(for: census.ready - 1) { time = now + Self.sessionsCheck }
        guard let keep = process.keepUntil, keep > now else {
            return process.isUnused(at: now) ? time : nil
        }
        return process.isUnused(at: keep) ? max(time, keep) : nil
    }

    /// Stops processes that have been idle for too long, the longest idle first, down to the
    /// minimum.
    ///
    /// Checking, cordoning and stopping are one change to the state, so no request can come in
    /// between; a process with a session, a request or a waiter is not considered.
    mutating func evictIdle() {
        while let entry = longestIdle() { stop(entry, .idle) }
    }

    private func longestIdle() -> UInt32? {
        var best: UInt32?
        for index in processes.indices {
            let entry = UInt32(index)
            guard let time = evictionTime(of: entry), time <= now else { continue }
            if let current = best,
                processes[Int(current)].idleSince <= processes[index].idleSince
            {
                continue
            }
            best = entry
        }
        return best
    }
}
