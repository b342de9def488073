/// Retirement: a group that left the configuration ends with its last session; it may return until
/// then.
extension GroupState {
    mutating func retire() {
        guard !isRetired, !isShuttingDown else { return }
        isRetired = true
        stopWaitingForBudget()
        refuseGroupQueue(.shuttingDown)
        if !isSpawned { return }
        switch rollout {
        case .none: isLaunchOutdated = false
        case .starting, .failed: isLaunchOutdated = true
        }
        rollout = .none
        for index in processes.indices { takeOut(UInt32(index), .retired) }
    }

    /// Takes over what is left of the group: processes of the same launch serve again, others keep
    /// only their own sessions.
    mutating func revive(
        _ policy: GroupPolicy, newGeneration: Bool
    ) {
        guard !isShuttingDown else { return }
        guard isRetired else {
            return reconfigure(policy, newGeneration: newGeneration)
        }
        isRetired = false
        isStarted = true
        self.policy = Self.usable(policy)
        backoff.reset()
        reportIfRecovered()
        let isNew = newGeneration || isLaunchOutdated
        if !isNew { reinstateAll() }
        closeGate()
        reconfigure(policy, newGeneration: isNew)
    }

    private mutating func reinstateAll() {
        for index in processes.indices where processes[index].generation == generation {
            guard case .draining(.retired) = processes[index].phase else { continue }
            let entry = UInt32(index)
            move(entry, to: .serving)
            _ = apply(.reinstate, to: entry)
            processes[index].drainUntil = nil
            prepare(entry)
            orders.supervision.append(.rememberServing(handle(entry)))
            orders.events.append(.reinstated(handle(entry)))
            if let reason = processes[index].markedForRecycling {
                hasMarkedForRecycling = true
                orders.events.append(.recycling(handle(entry), reason))
            }
        }
    }
}
