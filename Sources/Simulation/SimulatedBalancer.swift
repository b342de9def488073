internal import Backends

/// A simulated balancer: several groups (`World`) with one clock and one budget for their
/// processes.
final class SimulatedBalancer {
    private(set) var worlds: [World] = []
    let chance: Chance
    private var budget: SpawnBudget?
    private let concurrency: Int
    private let maxProcesses: Int
    /// The previous balancer still finishes requests.
    private var hasPredecessor = false

    init(_ chance: Chance) throws(Violation) {
        self.chance = chance
        let count = chance.pick("groups", [1, 1, 2, 3])
        let scenarios = (0..<count).map { _ in Scenario.random(chance) }
        let hasBudget = count > 1 || chance.percent("hasBudget", 30)
        concurrency = hasBudget ? chance.pick("concurrency", [0, 1, 2]) : 0
        // Enough for the minimum of every group, and a little more.
        let rights = scenarios.reduce(0) { sum, scenario in
            sum + (scenario.policy.kind == .spawned ? scenario.policy.minimum : 0)
        }
        maxProcesses =
            hasBudget && chance.percent("hasMaximum", 60)
            ? max(1, rights + chance.int("room", in: 0...3)) : 0
        budget = makeBudget(isThere: hasBudget)
        for (index, scenario) in scenarios.enumerated() {
            worlds.append(
                try World(
                    scenario, index: index, chance, budget: budget,
                    isCrowded: maxProcesses > 0))
        }
        for world in worlds { world.balancer = self }
        try begin()
    }

    private func begin() throws(Violation) {
        for world in worlds { world.begin() }
        for world in worlds {
            try world.attend()
            world.alarm = world.group.nextDeadline
        }
    }

    private func makeBudget(isThere: Bool) -> SpawnBudget? {
        isThere ? SpawnBudget(concurrency: concurrency, maxProcesses: maxProcesses) : nil
    }

    /// Takes a random action, in one of the groups or on the balancer.
    func step() throws(Violation) {
        if chance.int("restarts", in: 0..<1000) > 996 {
            try restart(isTakeover: chance.percent("isTakeover", 50))
        } else if hasPredecessor, chance.percent("predecessorEnds", 2) {
            try endSharing()
        } else {
            let index = chance.int("group", in: worlds.indices)
            try worlds[index].step()
        }
        try checkBudget()
    }

    /// Advances the time like the real timer: misses nothing that is due in any group.
    func pass(_ span: Interval) throws(Violation) {
        let end = worlds[0].now + span
        var turns = 0
        while let (world, at) = next(), at <= end {
            for other in worlds { other.now = max(other.now, at) }
            turns += 1
            // Sessions held for hours are checked as often as the shortest would end.
            if turns > 10_000_000 { throw Violation(.deadlineStandsStill, "at \(at)") }
            try world.happenNext()
        }
        for world in worlds { world.now = end }
        for world in worlds { try world.shadow.checkWaiters(now: end) }
    }

    private func next() -> (World, MonotonicInstant)? {
        var best: (World, MonotonicInstant)?
        for world in worlds {
            guard let event = world.nextEvent else { continue }
            if let known = best, known.1 <= event.at { continue }
            best = (world, event.at)
        }
        return best
    }

    /// The machine was suspended: many deadlines have passed, and every event is late.
    func jump(_ span: Interval) throws(Violation) {
        for world in worlds { world.now = world.now + span }
        for world in worlds { try world.catchUp() }
    }

    /// A group wants room and cannot spare a process itself: another group may.
    func makeRoom() throws(Violation) {
        _ = Group.makeRoom(among: worlds.map(\.group), now: worlds[0].now)
        for world in worlds { try world.attend() }
    }

    /// `kill -9` on the balancer, or `--takeover`: another one adopts the living processes.
    ///
    /// After a take-over the previous balancer finishes its requests.
    private func restart(isTakeover: Bool) throws(Violation) {
        guard worlds.allSatisfy({ $0.scenario.policy.kind == .spawned && !$0.isShuttingDown })
        else {
            return
        }
        budget = makeBudget(isThere: budget != nil)
        for world in worlds { try world.adoptAll(budget: budget, isTakeover: isTakeover) }
        hasPredecessor = isTakeover
        try begin()
    }

    /// The previous balancer has no more requests.
    private func endSharing() throws(Violation) {
        guard hasPredecessor else { return }
        hasPredecessor = false
        for world in worlds { try world.endSharing() }
    }

    /// All clients disconnect, then the balancer is shut down.
    func end() throws(Violation) {
        try endSharing()
        for world in worlds { try world.disconnectAll() }
        // Longer than any session is held, any process kept, any failure remembered.
        try pass(.seconds(3 * 3_600))
        for world in worlds { try world.checkRest() }
        try checkRoom()
        for world in worlds { try world.close() }
        try checkBudget()
    }

    /// At rest, no group may have a process to spare while another lacks one.
    private func checkRoom() throws(Violation) {
        let snapshots = worlds.map { $0.group.snapshot(now: $0.now) }.filter(\.isSpawned)
        for (index, snapshot) in snapshots.enumerated() {
            let lacksRoom = snapshots.indices.contains { other in
                other != index && snapshots[other].roomless != nil
            }
            let ready = snapshot.processes.count { $0.state == .ready }
            if lacksRoom, ready > snapshot.minimum {
                throw Violation(.roomWithheld, "\(ready) ready")
            }
        }
    }

    /// All groups together have no more processes than allowed, and all are counted.
    private func checkBudget() throws(Violation) {
        guard let budget else { return }
        let snapshots = worlds.map { $0.group.snapshot(now: $0.now) }.filter(\.isSpawned)
        let living = snapshots.reduce(0) { $0 + $1.processes.count }
        let counts = budget.counts
        if counts.living != living {
            throw Violation(.aboveBudget, "\(counts.living) counted, \(living) there")
        }
        if maxProcesses > 0, living > maxProcesses {
            throw Violation(.aboveBudget, "\(living) processes")
        }
        let starting = budget.boundStarts(at: worlds.map(\.now).max() ?? .init(nanoseconds: 0))
        if concurrency > 0, starting > concurrency {
            throw Violation(.aboveBudget, "\(starting) starting at once")
        }
    }
}
