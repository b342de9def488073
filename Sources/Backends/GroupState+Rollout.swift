/// Generations: new processes beside the old, which take over only when they are ready.
///
/// While a generation starts there may be up to twice as many processes as serve.
extension GroupState {
    /// Starts a new generation and returns its number.
    ///
    /// It replaces a generation that is still starting.
    mutating func restart() -> Int {
        guard isSpawned, !isShuttingDown, !isRetired else { return lastGeneration }
        lastGeneration += 1
        // Its wait for room starts from zero.
        forgetLackOfRoom()
        stopIncoming()
        orders.events.append(.rolloutStarted(generation: lastGeneration))
        if census.ready == 0 {
            switchAtOnce()
        } else {
            let needed = max(1, min(policy.minimum, census.ready))
            rollout = .starting(generation: lastGeneration, needed: needed, failures: 0)
        }
        due.formUnion(.group)
        return lastGeneration
    }

    /// Gives up a generation that is starting, or forgets one that failed to start.
    mutating func abandonRollout() {
        guard rollout != .none else { return }
        rollout = .none
        stopIncoming()
        due.formUnion(.group)
    }

    /// No process serves, so there is nothing to preserve; what blocked the old generation may be
    /// fixed.
    private mutating func switchAtOnce() {
        rollout = .none
        generation = lastGeneration
        for index in processes.indices where !processes[index].phase.isGone {
            replace(UInt32(index))
        }
        recycling = nil
        backoff.reset()
        reportIfRecovered()
        orders.events.append(.rolloutDone(generation: generation))
    }

    /// Starts the processes that the generation still lacks.
    mutating func startIncoming() {
        guard case .starting(let generation, let needed, _) = rollout else { return }
        while incoming.starting + incoming.ready < needed {
            guard start(.rollout, generation: generation, standing: .incoming) != nil else {
                return giveUpIfRoomless(generation)
            }
        }
    }

    /// A generation that finds no room within `max_processes` is given up like one that fails to
    /// start.
    private mutating func giveUpIfRoomless(_ generation: Int) {
        guard let since = roomlessSince, now - since >= policy.startTimeout else { return }
        let report = ExitReport(
            reason: "there is no room for it beside the one before: raise max_processes")
        rollout = .failed(generation: generation, report)
        orders.events.append(.rolloutFailed(generation: generation, report))
        stopIncoming()
    }

    /// The generation takes over when enough of it is ready, or when no older process serves.
    mutating func completeRolloutIfReady() {
        guard case .starting(let generation, let needed, _) = rollout, incoming.ready > 0,
            incoming.ready >= needed || census.ready == 0
        else { return }
        rollout = .none
        self.generation = generation
        let old = processes.indices.filter {
            processes[$0].standing == .serving && !processes[$0].phase.isGone
        }
        for index in processes.indices where processes[index].standing == .incoming {
            move(UInt32(index), to: .serving)
        }
        recycling = nil
        orders.events.append(.rolloutDone(generation: generation))
        for index in old { replace(UInt32(index)) }
        // The bounds may have been lowered while it was starting.
        due.insert(Due(.fitIntoBounds))
    }

    /// If the bounds are lowered while a generation starts, it needs no more processes than they
    /// allow.
    mutating func fitRolloutIntoBounds() {
        guard case .starting(let generation, let needed, let failures) = rollout else { return }
        rollout = .starting(
            generation: generation, needed: min(needed, policy.maximum), failures: failures)
    }

    /// Drains a process that a newer generation replaces.
    private mutating func replace(_ entry: UInt32) {
        if processes[Int(entry)].phase.isStopping { return move(entry, to: .outgoing) }
        takeOut(entry, .rollout)
    }

    /// A process of the generation failed to start; true: the generation accounts for the failure.
    mutating func incomingFailed(_ entry: UInt32, _ report: ExitReport) -> Bool {
        guard processes[Int(entry)].standing == .incoming else { return false }
        guard case .starting(let generation, let needed, let failures) = rollout else {
            return true
        }
        if failures == 0 {
            rollout = .starting(generation: generation, needed: needed, failures: 1)
        } else {
            rollout = .failed(generation: generation, report)
            orders.events.append(.rolloutFailed(generation: generation, report))
            stopIncoming()
        }
        return true
    }

    private mutating func stopIncoming() {
        for index in processes.indices
        where processes[index].standing == .incoming && !processes[index].phase.isGone {
            replace(UInt32(index))
        }
    }

    /// Takes a process out of service: its sessions stay until they end, or until the drain
    /// timeout.
    mutating func takeOut(
        _ entry: UInt32, _ reason: StopReason, timeout: Interval? = nil
    ) {
        let index = Int(entry)
        switch processes[index].phase {
        case .starting:
            move(entry, to: .outgoing)
            stop(entry, reason)
        case .ready, .draining:
            move(entry, to: .outgoing)
            let begins = apply(.drain(reason), to: entry) == .drains(reason)
            if begins { orders.events.append(.draining(handle(entry), reason)) }
            let known = processes[index].drainUntil
            var until = now + min(timeout ?? policy.drainTimeout, Self.longestInterval)
            if timeout == nil, let known { until = known }
            processes[index].drainUntil = until
            if begins || until != known { rememberDraining(entry, until: until) }
            touch(entry)
        case .stopping:
            // The generation that it was to come in with is given up, as when its group retires.
            if processes[index].standing == .incoming { move(entry, to: .outgoing) }
        case .down, .gone: break
        }
    }

    private mutating func rememberDraining(_ entry: UInt32, until: MonotonicInstant) {
        guard isSpawned, case .draining(let reason) = processes[Int(entry)].phase else { return }
        orders.supervision.append(.rememberDraining(handle(entry), reason, until: until))
    }
}
