/// The table of processes: entries, handles, and the census of phases.
extension GroupState {
    func handle(_ entry: UInt32) -> ProcessHandle {
        ProcessHandle(index: entry, serial: processes[Int(entry)].serial)
    }

    /// Nil when the process is gone.
    func find(_ handle: ProcessHandle) -> UInt32? {
        guard let entry = findLast(handle), !processes[Int(entry)].phase.isGone else { return nil }
        return entry
    }

    /// Whether a process is in service with at most one request.
    ///
    /// A kept connection may occupy a worker, which other requests, and the end of the process,
    /// would wait for.
    func isAlone(on handle: ProcessHandle) -> Bool {
        guard let entry = find(handle) else { return false }
        return processes[Int(entry)].phase == .ready && processes[Int(entry)].inFlight <= 1
    }

    /// The entry until another process takes it; the process itself may be gone.
    func findLast(_ handle: ProcessHandle) -> UInt32? {
        guard Int(handle.index) < processes.count,
            processes[Int(handle.index)].serial == handle.serial
        else { return nil }
        return handle.index
    }

    /// Assigns an entry to a new process.
    mutating func occupy(
        _ phase: ProcessPhase, generation: Int? = nil, standing: Standing = .serving
    ) -> UInt32 {
        lastRank += 1
        var process = Process(
            rank: lastRank, generation: generation ?? self.generation,
            threads: policy.threads, now: now, idleTimeout: jittered(policy.idleTimeout))
        process.phase = phase
        process.standing = standing
        process.turn = turn
        limitLife(of: &process)
        count(phase, standing, 1)
        if let entry = freeEntries.popLast() {
            process.serial = processes[Int(entry)].serial &+ 1
            processes[Int(entry)] = process
            return entry
        }
        processes.append(process)
        return UInt32(processes.count - 1)
    }

    /// Frees the entry of a process that is gone; slots still held on it are forgotten.
    mutating func vacate(_ entry: UInt32) {
        let index = Int(entry)
        inFlight -= processes[index].inFlight
        processes[index].inFlight = 0
        processes[index].unpinned = 0
        noteLoad(at: entry)
        if let incarnation = processes[index].incarnation,
            entriesByIncarnation[incarnation] == entry
        {
            entriesByIncarnation[incarnation] = nil
        }
        freeEntries.append(entry)
        touch(entry)
    }

    /// Applies a fact to a process's life cycle.
    mutating func apply(
        _ fact: ProcessPhase.Fact, to entry: UInt32
    ) -> ProcessPhase.Outcome {
        let standing = processes[Int(entry)].standing
        let wasStarting = processes[Int(entry)].phase.isStarting
        count(processes[Int(entry)].phase, standing, -1)
        let outcome = processes[Int(entry)].phase.apply(fact)
        count(processes[Int(entry)].phase, standing, 1)
        if wasStarting, !processes[Int(entry)].phase.isStarting {
            budget?.startEnded(group: index, rank: processes[Int(entry)].rank)
        }
        if processes[Int(entry)].phase.isGone, isSpawned { budget?.ended() }
        touch(entry)
        return outcome
    }

    private mutating func count(_ phase: ProcessPhase, _ standing: Standing, _ change: Int) {
        isScheduleStale = true
        due.formUnion(.group)
        switch standing {
        case .serving: census.count(phase, change)
        case .incoming: incoming.count(phase, change)
        case .outgoing: outgoing.count(phase, change)
        }
    }

    /// Determines the permanent processes: the oldest `min`.
    mutating func findPermanent() {
        if !isSpawned { return }
        let serving = processes.indices.filter {
            processes[$0].standing == .serving
                && (processes[$0].phase.isStarting || processes[$0].phase.isReady)
        }
        for index in processes.indices { processes[index].isPermanent = false }
        for index in serving.sorted(by: { processes[$0].rank < processes[$1].rank })
            .prefix(policy.minimum)
        {
            processes[index].isPermanent = true
        }
    }

    /// Counts a process under another standing from now on.
    mutating func move(_ entry: UInt32, to standing: Standing) {
        let index = Int(entry)
        count(processes[index].phase, processes[index].standing, -1)
        processes[index].standing = standing
        count(processes[index].phase, standing, 1)
        // A draining process no longer takes part in a replacement.
        if standing == .outgoing { forgetRecycling(of: handle(entry)) }
    }

    /// Within 10 %, so that processes that started together do not end together.
    mutating func jittered(_ span: Interval) -> Interval {
        let tenth = span.nanoseconds / 10
        let jitter = Int64.random(in: -tenth...tenth, using: &generator)
        return Interval(nanoseconds: span.nanoseconds + jitter)
    }
}
