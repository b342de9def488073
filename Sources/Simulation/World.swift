internal import Backends

/// One simulated group: its registry, its clock, its clients and its processes.
final class World {
    /// A browser: it sends the latest cookie, if it keeps cookies.
    struct Client {
        var cookie: AdmissionRequest.Claim?
        /// An older cookie, as another tab may still send.
        var staleCookie: AdmissionRequest.Claim?
    }

    /// A queued request, as its client sees it.
    struct Waiting {
        var client: Int
        var tag: WaiterTag
        var ticket: WaiterTicket
    }

    /// A request that holds a slot.
    struct Running {
        var client: Int
        var grant: Grant
    }

    var scenario: Scenario
    var group: Group
    var orders = OrderCollector()
    unowned var balancer: SimulatedBalancer?
    let index: Int
    /// The number of processes over all groups is limited.
    private let isCrowded: Bool
    var budget: SpawnBudget?
    var shadow: ShadowModel
    let chance: Chance
    var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    var history = History()
    var summary = Summary()

    var clients: [Client]
    var waiting: [Waiting] = []
    var running: [Running] = []
    /// Requests that became tunnels, and whether they hold their slot.
    var tunnels: [(running: Running, heldSlot: Bool)] = []
    /// Orders in transit to the client's loop.
    var mail: [TrafficOrder] = []
    var lastSession: UInt64 = 0
    var lastTag: UInt64 = 0

    /// When the timer will fire, based only on deadlines that it was notified of or has read.
    var alarm: MonotonicInstant?
    var agenda = Agenda()
    /// Exited processes whose exit was not reported yet.
    var unreportedExits: Set<ProcessHandle> = []
    var ignoresTermination: Set<ProcessHandle> = []
    var lastIncarnation: UInt64 = 0
    var brokenStarts: Int
    var isShuttingDown = false
    /// Removed from the configuration for a while.
    var isRetired = false
    /// The recorded sessions that hold a place, by process.
    var remembered: [ProcessHandle: RememberedSessions] = [:]
    /// Requests whose session did not fit into the lease table, as counted so far.
    var withoutLease: UInt64 = 0
    var drainingOnRecord: [ProcessHandle: DrainOnRecord] = [:]
    /// Processes that have sessions, as the records have it.
    var usedOnRecord: Set<ProcessHandle> = []
    var holdsOnRecord: [ProcessHandle: Interval] = [:]

    /// A group that does nothing until `begin`.
    init(
        _ scenario: Scenario, index: Int, _ chance: Chance, budget: SpawnBudget?, isCrowded: Bool
    ) throws(Violation) {
        self.chance = chance
        self.scenario = scenario
        self.index = index
        self.budget = budget
        self.isCrowded = isCrowded
        brokenStarts = scenario.brokenStarts
        shadow = ShadowModel(policy: scenario.policy)
        clients = Array(repeating: Client(), count: scenario.clients)
        group = Group(
            index: index, policy: scenario.policy, seed: chance.word("registry"), executor: orders,
            budget: budget, now: now)
        for process in group.snapshot(now: now).processes {
            try shadow.entered(process.handle, .ready)
        }
    }

    /// The group under another balancer, still without processes.
    func renewGroup(budget: SpawnBudget?) {
        self.budget = budget
        orders = OrderCollector()
        group = Group(
            index: index, policy: scenario.policy, seed: chance.word("registry"), executor: orders,
            budget: budget, now: now)
    }

    /// Starts the minimum; call `attend` when all groups have begun.
    func begin() {
        if isRetired { group.startRetired(now: now) } else { group.start(now: now) }
        shadow.serves(group.snapshot(now: now).generation)
    }

    /// Takes a random action.
    func step() throws(Violation) {
        doubtSessionsWithoutLease()
        switch Action.draw(chance) {
        case .request: try request()
        case .finish: try finishOne()
        case .tunnel: try tunnel()
        case .leave: try leave()
        case .deliver: try deliverMail()
        case .pass: try pass(.milliseconds(chance.int("milliseconds", in: 0...200)))
        case .passToDeadline: try passToDeadline()
        case .passLong: try pass(.seconds(chance.int("seconds", in: 1...90)))
        case .jump: try jump()
        case .crash: crash()
        case .directSession: try directSession()
        case .drain: try drainOne()
        case .operate: try operate()
        case .reset: try reset()
        case .advanceEarly: try advanceEarly()
        case .breakStarts:
            brokenStarts = chance.pick("brokenStarts", [0, 0, scenario.brokenStarts, 100])
        }
        doubtSessionsWithoutLease()
        try check()
    }

    /// The conditions that must hold after every step.
    func check() throws(Violation) {
        if let broken = group.brokenInvariant { throw Violation(.invariant, broken) }
        summary.steps += 1
        guard summary.steps % 4 == 0 else { return }
        let snapshot = group.snapshot(now: now)
        for process in snapshot.processes {
            let known = shadow.processes[process.handle]?.inFlight ?? -1
            if known != process.inFlight {
                throw Violation(
                    .slotLost, "\(process.handle) has \(process.inFlight), \(known) are known")
            }
        }
        if snapshot.isSpawned && !isShuttingDown && !isRetired { try checkMinimum(snapshot) }
    }

    private func checkMinimum(_ snapshot: GroupSnapshot) throws(Violation) {
        let there = shadow.processes.values.count {
            ($0.state == .starting || $0.state == .ready) && !$0.isOutgoing
        }
        let isExcused =
            budget != nil || snapshot.failuresInARow > 0
            || shadow.live.upperBound >= shadow.policy.maximum
            || shadow.count(.starting) >= 8
        if there < shadow.policy.minimum && !isExcused {
            throw Violation(.belowMinimum, "\(there) processes")
        }
        if snapshot.failuresInARow >= 8 && snapshot.starting > 1 {
            // Probes in progress when the last one failed may still be running.
            let probes = snapshot.processes.count { $0.reason == .probe && $0.state == .starting }
            if probes > 1 { throw Violation(.startedTooManyAfterFailure, "\(probes) probes") }
        }
    }

    /// Records the registry's orders.
    func attend() throws(Violation) {
        let taken = orders.take()
        lookForSessionsWithoutLease()
        if taken.deadlineMoved { alarm = group.nextDeadline }
        for event in taken.events { try attend(to: event) }
        for order in taken.supervision { try attend(to: order) }
        for order in taken.traffic { try attend(to: order) }
        if taken.wantsRoom { try balancer?.makeRoom() }
    }
}

/// The latest events, for the report of a violation.
struct History {
    private static let length = 50
    private var entries: [String] = []
    private var next = 0

    mutating func note(_ now: MonotonicInstant, _ entry: @autoclosure () -> String) {
        let line = "\(Double(now.nanoseconds / 1000) / 1e6) s  \(entry())"
        if entries.count < Self.length {
            entries.append(line)
        } else {
            entries[next] = line
        }
        next = (next + 1) % Self.length
    }

    var lines: [String] {
        entries.count < Self.length ? entries : Array(entries[next...] + entries[..<next])
    }
}
