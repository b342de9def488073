internal import Synchronization

/// A group as a pure value: facts and the time go in, orders come out.
///
/// It performs nothing and reads no clock. What it decides is collected in `orders`, for `Group` to
/// hand out once its lock is open. Kept sessions cost a look-up in a table; new ones look at each
/// process of the group once.
struct GroupState: ~Copyable, Sendable {
    /// A value that cannot move in memory keeps the whole of it there: without it each
    /// call that only looks is given a copy of a kilobyte.
    private let anchor = Atomic(false)

    var policy: GroupPolicy
    /// The latest time it was told; a caller's time that is behind it counts as this.
    var now: MonotonicInstant
    var generator: Generator

    var processes: [Process] = []
    var freeEntries: [UInt32] = []
    var entriesByIncarnation: [Incarnation: UInt32] = [:]
    /// Of the processes that serve; `min` and `max` are about these.
    var census = Census()
    /// Of a generation that is starting, and of those taken out of service.
    var incoming = Census()
    var outgoing = Census()
    let index: Int
    let budget: SpawnBudget?
    /// The number given last, and that of the processes that take new sessions.
    var lastGeneration = 1
    var generation = 1
    var rollout = Rollout.none
    /// The one that is being replaced, and its replacement.
    var recycling: Recycling?
    /// A process is marked for recycling, so it pays to look.
    var hasMarkedForRecycling = false
    /// When a draining process may be ended early, since there are too many of them; nil: none may soon.
    var thinningAt: MonotonicInstant?
    /// That recycling waits for draining processes has been told.
    var isRecyclingWaitTold = false
    /// When a start that the budget held up is tried again.
    var budgetRetryAt: MonotonicInstant?
    /// Since when a start has waited for others to go, with `max_processes` running; nil: none does.
    var roomlessSince: MonotonicInstant?
    /// Somebody asked in vain in the present round.
    var lacksRoom = false
    var isRoomlessTold = false
    /// Not in the configuration any more: it ends with its last session.
    var isRetired = false
    /// When it was retired, another generation than that of its processes was on its way.
    var isLaunchOutdated = false
    /// Limits may be lower than what was let in before.
    var hasBeenReconfigured = false
    var lastRank: UInt64 = 0

    var leases: LeaseTable
    var ended = EndedSessions()
    /// When an unconfirmed session may give its place to whoever waits; nil: none may soon.
    var givingWayAt: MonotonicInstant?
    /// Until when adopted processes take no sessions but those that come back; nil: they take any.
    var placesKeptUntil: MonotonicInstant?
    /// That the table of leases is full has been told.
    var isCrowdTold = false
    var waiters = WaiterTable()
    /// Those who wait for any process.
    var queue = WaiterQueue()
    /// Those among them who claim a session: it may find a process while they wait.
    var claimantsWaiting = 0
    /// Those among them who need no more than a slot.
    var sessionlessWaiting = 0

    var backoff: Backoff
    /// Requests in flight on all processes.
    var inFlight = 0
    var load: LoadAverage
    /// The turn of the process that was chosen last.
    var turn: UInt64 = 0
    /// Until then a cold `spread` group waits for its minimum; nil: it waits no more.
    var gateUntil: MonotonicInstant?
    /// The first of the queue waits for a process with fewer sessions than the one that has room.
    var withheld: Withheld?
    /// Somebody asked while the group was failing, so the next probe is worth its while.
    var probeWanted = false
    /// The failure that made it a failing group has been told.
    var isKnownAsFailing = false
    /// The group could get a process up since it last failed to.
    var isProven = false
    var isStarted = false
    var isShuttingDown = false
    /// No process has anything due before this; early looks are harmless.
    var processCheck: MonotonicInstant?
    /// When a start that the back-off holds up is permitted; nil: none is wanted.
    var backoffEnd: MonotonicInstant?
    /// Somebody was refused who would have needed a process.
    var hasRefusedForRoom = false

    /// The steps that follow from what has changed.
    var due = Due()
    /// Processes that have changed, each once.
    var touched: [UInt32] = []
    /// How many processes serve has changed, and with it when the others are to be looked at.
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

        /// Running, or about to.
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
        /// From the start of a process to its being ready.
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
        switch policy.kind {
        case .spawned: break
        case .external(let servers): enterExternal(servers)
        }
    }

    var isSpawned: Bool { policy.kind == .spawned }

    /// Takes the time of a fact; a clock that seems to go backward stands still.
    mutating func tick(_ instant: MonotonicInstant) { now = max(now, instant) }

    /// The policy with values that the arithmetic can bear, whatever it was made from.
    static func usable(_ policy: GroupPolicy) -> GroupPolicy {
        precondition(policy.threads >= 1, "a process has at least one thread")
        precondition(
            policy.kind != .spawned
                || (policy.maximum >= 1 && (0...policy.maximum).contains(policy.minimum)),
            "processes: 0 <= min <= max, max at least 1")
        var usable = policy
        for span in [
            \GroupPolicy.sessionIdle, \.unconfirmed, \.queueTimeout, \.idleTimeout,
            \.startTimeout, \.stopTimeout, \.drainTimeout,
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

    /// Ten years: far enough for people, and far from where nanoseconds overflow.
    static let longestInterval = Interval.seconds(10 * 365 * 86_400)
}
