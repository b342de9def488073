/// Scaling and retiring: changes to the number of processes while the group runs.
extension GroupState {
    mutating func reconfigure(
        _ policy: GroupPolicy, newGeneration: Bool
    ) {
        precondition(policy.name == self.policy.name, "a group keeps its name")
        let recordedSessions = self.policy.recordsSessions
        self.policy = Self.usable(policy)
        if recordedSessions != self.policy.recordsSessions { recordAll() }
        hasBeenReconfigured = true
        leases.shortenChecks(to: min(self.policy.sessionIdle, self.policy.unconfirmed))
        if newGeneration {
            _ = restart()
        } else if !isSpawned {
            updateServers()
        }
        boundsChanged()
    }

    mutating func scale(minimum: Int, maximum: Int) {
        guard isSpawned, !isShuttingDown else { return }
        precondition(maximum >= 1 && (0...maximum).contains(minimum), "0 <= min <= max")
        policy.minimum = minimum
        policy.maximum = maximum
        policy.spare = min(policy.spare, maximum - minimum)
        orders.events.append(.scaled(minimum: minimum, maximum: maximum))
        boundsChanged()
    }

    /// There may be more room than before, too many processes, or too few.
    private mutating func boundsChanged() {
        fitRolloutIntoBounds()
        due.insert(Due(.fitIntoBounds))
        touchAll()
    }

    /// Takes the surplus out of service: starting processes first, then those with the fewest
    /// sessions.
    mutating func fitIntoBounds() {
        guard isSpawned else { return }
        for index in processes.indices where processes[index].phase.isStopping {
            move(UInt32(index), to: .outgoing)
        }
        while census.starting + census.ready > policy.maximum, let entry = leastNeeded() {
            takeOut(entry, .scaledDown)
        }
    }

    private func leastNeeded() -> UInt32? {
        var best: Int?
        for index in processes.indices where processes[index].standing == .serving {
            guard processes[index].phase.isStarting || processes[index].phase.isReady else {
                continue
            }
            guard let current = best else {
                best = index
                continue
            }
            if worth(index) < worth(current) { best = index }
        }
        return best.map { UInt32($0) }
    }

    private func worth(_ index: Int) -> (Int, Int, Int) {
        let process = processes[index]
        return (process.phase.isStarting ? 0 : 1, process.sessions, process.inFlight)
    }

    // MARK: Room for other groups

    /// Since when the process that can best be spared has been idle; nil: none can be spared.
    var spareableSince: MonotonicInstant? {
        spareable.map { processes[Int($0)].idleSince }
    }

    private var spareable: UInt32? {
        guard isSpawned, census.ready > policy.minimum else { return nil }
        var best: Int?
        for index in processes.indices
        where processes[index].standing == .serving && processes[index].phase.isReady
            && processes[index].isUnused(at: now)
        {
            if let current = best, processes[current].idleSince <= processes[index].idleSince {
                continue
            }
            best = index
        }
        return best.map { UInt32($0) }
    }

    /// Stops the process that can best be spared, for another group.
    mutating func makeRoom() -> Bool {
        guard let entry = spareable else { return false }
        stop(entry, .makeRoom)
        return true
    }
}
