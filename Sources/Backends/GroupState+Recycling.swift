/// Recycling: a process that has served long enough, or is failing, is replaced before it stops.
///
/// One at a time in a group. The replacement may exceed `max` meanwhile. While `draining_max`
/// processes drain, the next one continues to serve.
extension GroupState {
    mutating func recycle(
        _ handle: ProcessHandle, _ reason: StopReason
    ) {
        guard isSpawned, let entry = find(handle) else { return }
        markForRecycling(entry, reason)
    }

    /// Draws how long a new process may live.
    mutating func limitLife(of process: inout Process) {
        if policy.maxRequests > 0 {
            let tenth = policy.maxRequests / 10
            let jitter = Int.random(in: -tenth...tenth, using: &generator)
            process.requestLimit = max(1, policy.maxRequests + jitter)
        }
        if let age = policy.maxAge { process.ageLimit = now + jittered(age) }
    }

    /// Marks a process that has served its requests.
    mutating func markIfSpent(_ entry: UInt32) {
        let limit = processes[Int(entry)].requestLimit
        if limit > 0, processes[Int(entry)].requestsTotal >= UInt64(limit) {
            markForRecycling(entry, .maxRequests)
        }
    }

    /// Marks a process that is too old.
    mutating func markIfOld(_ entry: UInt32) {
        if let limit = processes[Int(entry)].ageLimit, limit <= now {
            markForRecycling(entry, .maxAge)
        }
    }

    private mutating func markForRecycling(_ entry: UInt32, _ reason: StopReason) {
        let index = Int(entry)
        guard processes[index].markedForRecycling == nil else { return }
        switch processes[index].phase {
        case .ready, .draining: break
        case .starting, .stopping, .down, .gone: return
        }
        processes[index].markedForRecycling = reason
        orders.events.append(.recycling(handle(entry), reason))
        // A failing process takes no new session.
        due.formUnion(.group)
        if processes[index].standing == .serving {
            hasMarkedForRecycling = true
        } else if reason.isIllness {
            stop(entry, reason)
        }
    }

    /// Starts the next replacement, unless one is under way.
    mutating func startReplacement() {
        guard hasMarkedForRecycling, recycling == nil, !rollout.isStarting else { return }
        guard let entry = nextMarkedForRecycling() else {
            hasMarkedForRecycling = false
            return
        }
        // Failing processes are stopped without draining.
        guard processes[Int(entry)].markedForRecycling?.isIllness == true || hasRoomToDrain() else {
            return
        }
        let old = handle(entry)
        guard let replacement = startOne(.recycle) else { return }
        recycling = Recycling(old: old, replacement: replacement)
    }

    /// Failing processes come before old ones.
    private func nextMarkedForRecycling() -> UInt32? {
        var best: Int?
        for index in processes.indices {
            let process = processes[index]
            guard let reason = process.markedForRecycling, process.phase.isReady,
                process.standing == .serving
            else { continue }
            guard let current = best else {
                best = index
                continue
            }
            if reason.isIllness, processes[current].markedForRecycling?.isIllness != true {
                best = index
            }
        }
        return best.map { UInt32($0) }
    }

    /// Drains or stops the process whose replacement is ready.
    mutating func completeRecyclingIfReady() {
        guard let recycling, let replacement = find(recycling.replacement),
            processes[Int(replacement)].phase.isReady
        else { return }
        self.recycling = nil
        due.formUnion(.demand)
        guard let entry = find(recycling.old) else { return }
        guard let reason = processes[Int(entry)].markedForRecycling,
            processes[Int(entry)].phase.isReady
        else {
            // It is already draining or stopping.
            return move(entry, to: .outgoing)
        }
        if reason.isIllness {
            move(entry, to: .outgoing)
            stop(entry, reason)
        } else {
            takeOut(entry, reason)
        }
    }

    /// A process is gone: a replacement that failed is retried after the back-off.
    mutating func forgetRecycling(of handle: ProcessHandle) {
        if recycling?.replacement == handle || recycling?.old == handle { recycling = nil }
    }

    /// How many may serve: a replacement runs beside the process that it replaces.
    var mostProcesses: Int { policy.maximum + (recycling == nil ? 0 : 1) }
}

extension StopReason {
    /// The process is failing, so its sessions gain nothing from draining.
    var isIllness: Bool {
        switch self {
        case .unhealthy, .watchdog: true
        case .idle, .startTimeout, .unreachable, .shutdown, .drained, .exited, .maxRequests,
            .maxAge, .maxMemory, .requestTimeout, .rollout, .scaledDown, .command, .notify,
            .drainTimeout, .makeRoom, .retired, .removed:
            false
        }
    }
}
