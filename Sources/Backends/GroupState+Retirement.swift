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

    /// Begins as a group that left the configuration under an earlier balancer, or between two: what was
    /// adopted of it is kept as a reload would have left it.
    mutating func startRetired() {
        precondition(!isStarted, "a group is started once")
        isRetired = true
        sortAdopted()
        isStarted = true
        for index in processes.indices {
            takeOut(UInt32(index), .retired)
            guard processes[index].hadNoSessions else { continue }
            if processes[index].wasOrphaned {
                keepForLateSessions(at: UInt32(index))
            } else {
                processes[index].keepUntil = nil
            }
        }
        touchAll()
    }

    /// A balancer that had the group in its configuration has ended, and may have begun sessions on a
    /// process in its last moments that the record does not show.
    mutating func keepForLateSessions(at entry: UInt32) {
        let index = Int(entry)
        processes[index].keepUntil = processes[index].wasRetired ? nil : now + policy.unconfirmed
    }

    /// Its group was not in the configuration when it was taken out of service, and is again.
    mutating func serveAgain(_ entry: UInt32) {
        processes[Int(entry)].drainUntil = nil
        orders.supervision.append(.rememberServing(handle(entry)))
        orders.events.append(.reinstated(handle(entry)))
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
        let recordedSessions = self.policy.recordsSessions
        self.policy = Self.usable(policy)
        if recordedSessions != self.policy.recordsSessions { recordAll() }
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
            prepare(entry)
            serveAgain(entry)
            if let reason = processes[index].markedForRecycling {
                hasMarkedForRecycling = true
                orders.events.append(.recycling(handle(entry), reason))
            }
        }
    }
}
