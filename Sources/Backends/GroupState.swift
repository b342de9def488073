internal import Synchronization

/// A group as a pure value: facts and the time go in, orders come out.
///
/// It performs nothing and reads no clock. Its decisions are collected in `orders`, which `Group`
/// hands out after unlocking. A request of a kept session costs a table look-up; a new session
/// visits each process of the group once.
struct GroupState: ~Copyable, Sendable {
    /// Makes the value immovable, so that the compiler passes it by reference: without it each
    /// read-only call copies a kilobyte.
    private let anchor = Atomic(false)

    var policy: GroupPolicy
    /// The latest time seen; an earlier time from a caller counts as this.
    var now: MonotonicInstant
    var generator: Generator

    var processes: [Process] = []
    var freeEntries: [UInt32] = []
    var entriesByIncarnation: [Incarnation: UInt32] = [:]
    /// External servers as configured, by their entries.
    var endpoints: [UInt32: ServerEndpoint] = [:]
    /// What the names of servers have been looked up to, by their configured addresses.
    var names: [ProcessAddress: ResolvedName] = [:]
    /// Those of servers that have left: one that comes to the same address is another.
    var spent: Set<Incarnation> = []
    /// Servers that were out of service before a restart and are not known yet.
    var awaitedOut: [OutOfService] = []
    /// The serving processes, which `min` and `max` are about.
    var census = Census()
    /// The processes of a starting generation, and those out of service.
    var incoming = Census()
    var outgoing = Census()
    let index: Int
    let budget: SpawnBudget?
    /// The latest number given, and that of the processes that take new sessions.
    var lastGeneration = 1
    var generation = 1
    var rollout = Rollout.none
    /// The process being replaced, and its replacement.
    var recycling: Recycling?
    /// At least one process is marked for recycling, so a search is worthwhile.
    var hasMarkedForRecycling = false
    /// When a surplus draining process may be stopped early; nil: none may soon.
    var thinningAt: MonotonicInstant?
    /// Whether the log already says that recycling waits for draining processes.
    var isRecyclingWaitReported = false
    /// When to retry a start that the budget delayed.
    var budgetRetryAt: MonotonicInstant?
    /// Since when a start has waited because `max_processes` are running; nil: none waits.
    var roomlessSince: MonotonicInstant?
    /// A start was refused for lack of room in the current round.
    var lacksRoom = false
    var isRoomlessReported = false
    /// The configuration no longer has the group: it ends with its last session.
    var isRetired = false
    /// When the group was retired, a generation with another launch was on its way.
    var isLaunchOutdated = false
    /// Current counts may exceed the limits, which were higher before.
    var hasBeenReconfigured = false
    var lastRank: UInt64 = 0

    var leases: LeaseTable
    var ended = EndedSessions()
    /// When an unconfirmed session may give its place to a waiter; nil: none may soon.
    var givingWayAt: MonotonicInstant?
    /// Until then adopted processes accept only returning sessions; nil: any.
    var placesKeptUntil: MonotonicInstant?
    /// When sessions without places may be recorded again; nil: at once.
    var recordingAt: MonotonicInstant?
    /// Whether the log already says that the table of leases is full.
    var isCrowdReported = false
    var waiters = WaiterTable()
    /// The waiters for any process.
    var queue = WaiterQueue()
    /// How many of them claim a session, which may find a process while they wait.
    var claimantsWaiting = 0
    /// How many of them need only a slot.
    var sessionlessWaiting = 0

    var backoff: Backoff
    /// Requests in flight on all processes.
    var inFlight = 0
    var load: LoadAverage
    /// The turn of the process chosen last.
    var turn: UInt64 = 0
    /// Until then a cold `spread` group waits for its minimum; nil: the gate is open.
    var gateUntil: MonotonicInstant?
    /// The first of the queue waits for a process with fewer sessions than the one that has room.
    var withheld: Withheld?
    /// A request arrived while the group was failing, so the next probe is worthwhile.
    var probeWanted = false
    /// Whether the log already says that the group is failing.
    var isKnownAsFailing = false
    /// A process became ready since the last failed start.
    var isProven = false
    var isStarted = false
    var isShuttingDown = false
    /// No process has anything due before this; early checks are harmless.
    var processCheck: MonotonicInstant?
    /// When a start that the back-off delays is permitted; nil: none is wanted.
    var backoffEnd: MonotonicInstant?
    /// A request that needed a process was refused.
    var hasRefusedForRoom = false

    /// The steps that the changes so far require.
    var due = Due()
    /// Processes that have changed, each listed once.
    var touched: [UInt32] = []
    /// The number of serving processes has changed, so all processes must be scheduled again.
    var isScheduleStale = false

    var totals = Totals()
    var lastFailure: GroupSnapshot.Failure?
    var orders = OrderBatch()

    /// How many processes are in which phase.
    struct Census: Equatable, Sendable {
        var starting = 0
        var ready = 0
        var draining = 0
        var stopping = 0
        var down = 0

        /// Running, or about to run.
        var live: Int { starting + ready + draining + stopping }

        mutating func count(_ phase: ProcessPhase, _ change: Int) {
            switch phase {
            case .starting: starting += change
            case .ready: ready += change
            case .draining: draining += change
            case .stopping: stopping += change
            case .down: down += change
            case .gone: break
            }
        }
    }

    struct Totals: Equatable, Sendable {
        var rejected: UInt64 = 0
        var timedOut: UInt64 = 0
        var sessionsCreated: UInt64 = 0
        var sessionsMoved: UInt64 = 0
        var sessionsLost: UInt64 = 0
        var sessionsWithoutLease: UInt64 = 0
        var sessionsGivenWay: UInt64 = 0
        var spawned: UInt64 = 0
        var startFailures: UInt64 = 0
        /// Time from the start of a process to its readiness.
        var startDurations = DurationHistogram()
        var limitReached: UInt64 = 0
    }

    init(
        policy: GroupPolicy, index: Int = 0, budget: SpawnBudget? = nil, seed: UInt64,
        now: MonotonicInstant
    ) {
        self.policy = Self.usable(policy)
        self.index = index
        self.budget = budget
        self.now = now
        generator = Generator(seed: seed)
        leases = LeaseTable(
            sessionIdle: min(self.policy.sessionIdle, self.policy.unconfirmed),
            limit: self.policy.leaseLimit)
        backoff = Backoff(at: now)
        load = LoadAverage(at: now)
        if !isSpawned { enterExternal() }
    }

    var isSpawned: Bool { policy.kind == .spawned }

    /// Advances to the time of a fact; a clock that seems to go backward stands still.
    mutating func tick(_ instant: MonotonicInstant) { now = max(now, instant) }

    /// The policy with values clamped to what the arithmetic can handle.
    static func usable(_ policy: GroupPolicy) -> GroupPolicy {
        precondition(policy.threads >= 1, "a process has at least one thread")
        precondition(
            policy.kind != .spawned
                || (policy.maximum >= 1 && (0...policy.maximum).contains(policy.minimum)),
            "processes: 0 <= min <= max, max at least 1")
        var usable = policy
        for span in [
            \GroupPolicy.sessionIdle, \.unconfirmed, \.queueTimeout, \.idleTimeout,
            \.startTimeout, \.stopTimeout, \.drainTimeout, \.slowStart,
        ] {
            usable[keyPath: span] = min(max(policy[keyPath: span], .zero), longestInterval)
        }
        for count in [
            \GroupPolicy.threads, \.sessionsPerProcess, \.queueLimit, \.processQueueLimit, \.spare,
            \.drainingMaximum,
        ] {
            usable[keyPath: count] = min(max(policy[keyPath: count], 0), 1_000_000)
        }
        usable.maxRequests = min(max(policy.maxRequests, 0), 1 << 40)
        usable.maxAge = policy.maxAge.map { min(max($0, .milliseconds(1)), longestInterval) }
        usable.sessionIdle = max(usable.sessionIdle, .milliseconds(1))
        usable.unconfirmed = max(usable.unconfirmed, .milliseconds(1))
        usable.leaseLimit = max(usable.leaseLimit, 1)
        usable.startTimeout = max(usable.startTimeout, .milliseconds(1))
        return usable
    }

    /// Ten years: long enough for people, and far from overflowing nanoseconds.
    static let longestInterval = Interval.seconds(10 * 365 * 86_400)
}
