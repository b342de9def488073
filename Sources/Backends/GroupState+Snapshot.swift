extension GroupState {
    var snapshot: GroupSnapshot {
        var snapshot = GroupSnapshot(
            name: policy.name, isSpawned: isSpawned, state: state, generation: generation,
            minimum: isSpawned ? policy.minimum : serverCount,
            maximum: isSpawned ? policy.maximum : serverCount, threads: policy.threads,
            queueLength: queue.count, queueLimit: policy.queueLimit,
            queueOldest: queue.first.map { now - waiters[$0].since } ?? .zero,
            queueRejectedTotal: totals.rejected, queueTimedOutTotal: totals.timedOut,
            sessionsLive: processes.reduce(0) { $0 + $1.sessions },
            sessionsCreatedTotal: totals.sessionsCreated,
            sessionsMovedTotal: totals.sessionsMoved, sessionsLostTotal: totals.sessionsLost,
            starting: census.starting, spawnedTotal: totals.spawned,
            failuresInARow: backoff.inARow, backoff: backoff.left(at: now),
            lastFailure: lastFailure, limitReachedTotal: totals.limitReached,
            processes: processSnapshots,
            sessionsWithoutLeaseTotal: totals.sessionsWithoutLease,
            sessionsGivenWayTotal: totals.sessionsGivenWay,
            sessionsUnconfirmed: processes.reduce(0) { $0 + $1.unconfirmed },
            isLeaseTableFull: leases.isCrowded)
        snapshot.startFailuresTotal = totals.startFailures
        snapshot.startDurations = totals.startDurations
        snapshot.roomless = roomlessSince.map { now - $0 }
        switch rollout {
        case .none: break
        case .starting(let generation, _, _):
            snapshot.rollout = .init(generation: generation, state: .starting, report: nil)
        case .failed(let generation, let report):
            snapshot.rollout = .init(generation: generation, state: .failed, report: report)
        }
        snapshot.drainingSessions = processes.reduce(0) { sum, process in
            process.standing == .outgoing ? sum + process.sessions : sum
        }
        snapshot.obstacle = obstacle
        if !isSpawned { snapshot.unresolved = unresolvedNames.map(\.text) }
        return snapshot
    }

    private var obstacle: GroupSnapshot.Obstacle? {
        if isShuttingDown || isRetired { return .stopped }
        if isGateClosed { return .coldStart }
        if census.ready == 0 { return .noneReady }
        if queue.count > 0 { return .queue }
        if processes.contains(where: { hasRoom($0) }) || wouldBePlacedByGivingWay { return nil }
        return processes.contains(where: { hasRoomButPlaces($0) }) ? .sessionPlaces : .slots
    }

    private var state: GroupSnapshot.State {
        if isShuttingDown || isRetired { return .stopped }
        if backoff.isFailing { return .failing }
        if census.ready > 0, canReachAny { return hasPlaces ? .ok : .full }
        // All external servers are down; a spawned group may have no process and still be well.
        if !isSpawned { return awaitsNames ? .starting : .failing }
        return policy.minimum > 0 || census.starting > 0 ? .starting : .ok
    }

    /// Whether there is more than external servers on probation, which have not answered yet.
    private var canReachAny: Bool {
        isSpawned || processes.contains { $0.phase.isReady && $0.server.probation == nil }
    }

    /// Whether a new session finds a place, now or on a process that is starting or may be started.
    private var hasPlaces: Bool {
        if policy.sessionsPerProcess == 0 || census.starting > 0 || !isStartInVain { return true }
        return processes.contains { process in
            process.phase.isReady && process.standing == .serving
                && process.markedForRecycling?.isIllness != true && !isFull(process)
        }
    }

    /// In the order of their starts; those beyond the `min` oldest are transient.
    private var processSnapshots: [ProcessSnapshot] {
        let living = processes.indices.filter { !processes[$0].phase.isGone }
            .sorted { processes[$0].rank < processes[$1].rank }
        var kept = isSpawned ? policy.minimum : living.count
        return living.map { index in
            let isCounted: Bool
            switch processes[index].phase {
            case .starting, .ready, .down: isCounted = processes[index].standing == .serving
            case .draining, .stopping, .gone: isCounted = false
            }
            let isTransient = isSpawned && isCounted && kept <= 0
            if isCounted { kept -= 1 }
            return snapshot(of: index, isTransient: isTransient)
        }
    }

    private func snapshot(of index: Int, isTransient: Bool) -> ProcessSnapshot {
        let process = processes[index]
        var snapshot = ProcessSnapshot(
            handle: handle(UInt32(index)), label: process.label, pid: process.pid,
            state: state(of: process),
            reason: process.reason,
            generation: process.generation,
            transient: isTransient, address: process.address, inFlight: process.inFlight,
            queued: process.queue.count, sessions: process.sessions,
            requestsTotal: process.requestsTotal, errorsTotal: process.errorsTotal,
            startedAt: process.startedAt,
            readyAfter: process.readyAfter,
            idle: process.inFlight > 0 || process.readyAt == nil ? .zero : now - process.idleSince)
        snapshot.tunnels = process.tunnels
        snapshot.statusText = process.statusText
        snapshot.isBusy = process.isBusy
        snapshot.slots = process.slots
        if !isSpawned {
            snapshot.server = ServerSnapshot(
                weight: process.weight,
                share: Double(process.share) / Double(SlowStart.whole),
                slowStartLeft: process.server.slowStart?.left(at: now),
                outagesTotal: process.server.outagesTotal,
                failedChecksTotal: process.server.failedChecksTotal)
        }
        if process.phase.serves, let until = process.keepUntil {
            let end = min(until, process.drainUntil ?? until)
            snapshot.keptFor = end > now ? end - now : nil
        }
        switch process.phase {
        case .draining(let reason):
            snapshot.stopReason = reason
            snapshot.drainLeft = process.drainUntil.map { max($0 - now, .zero) }
        case .stopping(let reason, _): snapshot.stopReason = reason
        case .down: snapshot.stopReason = process.server.isOut ? .command : nil
        case .starting, .ready, .gone: snapshot.stopReason = process.markedForRecycling
        }
        return snapshot
    }

    /// Servers that are wanted.
    private var serverCount: Int {
        processes.count { !$0.phase.isGone && $0.phase != .draining(.removed) }
    }

    private func state(of process: borrowing Process) -> ProcessSnapshot.State {
        switch process.phase {
        case .starting: .starting
        case .ready: process.server.probation == nil ? .ready : .down
        // It keeps its sessions while it answers them.
        case .draining(.unhealthy) where !isSpawned: .down
        case .draining: .draining
        case .stopping: .stopping
        case .down: .down
        case .gone: preconditionFailure("an entry without a process has no snapshot")
        }
    }
}
