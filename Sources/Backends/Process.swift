/// Whether a process is one of those that the group's `min` and `max` are about.
enum Standing: Equatable, Sendable {
    case serving
    /// Of a generation that takes no sessions yet.
    case incoming
    /// Taken out of service; it stays for its own sessions.
    case outgoing
}

/// One entry of a group's table, and the process in it.
struct Process: Sendable {
    /// Counts the processes that the entry has had.
    var serial: UInt32 = 0
    var phase = ProcessPhase.gone
    var standing = Standing.serving
    /// One of the oldest `min` that serve, which stay; the others are transient.
    var isPermanent = false
    /// Counts the restarts of the group; those of one launch have the same.
    var generation: Int
    /// Slots: what the group had when it was started.
    var threads: Int
    /// Nil until spawned.
    var incarnation: Incarnation?
    var address: ProcessAddress?
    /// The public name; like `pid` kept after the end until the entry has a new process.
    var label = ""
    var pid: Int32?
    var reason: SpawnReason?
    /// Share of new sessions relative to its neighbours.
    var weight: Int
    /// Counts the starts of a group, so that the older of two is known.
    var rank: UInt64
    var startedAt: MonotonicInstant
    var readyAt: MonotonicInstant?

    var inFlight = 0
    /// Requests in flight without a session; where sessions are limited each holds a place.
    var unpinned = 0
    /// Leases that name it.
    var sessions = 0
    /// Those among them whose cookie has never come back.
    var unconfirmed = 0
    /// Its own waiters in the order of their arrival, and their sessions in the order of their turns.
    var queue = WaiterQueue()
    var turns = TurnQueue()
    /// Grows with each placement by the inverse of the weight: the lowest is next among equals.
    var turn: UInt64 = 0
    var load: LoadAverage
    /// The end of the last request; counts while none is in flight.
    var idleSince: MonotonicInstant
    /// `idle_timeout` with this process's jitter.
    var idleTimeout: Interval

    var requestsTotal: UInt64 = 0
    var errorsTotal: UInt64 = 0
    var hasServed = false
    /// `max_requests` with this process's jitter; 0: none.
    var requestLimit = 0
    /// When it is too old; nil: never.
    var ageLimit: MonotonicInstant?
    /// It is to be replaced, for this reason.
    var markedForRecycling: StopReason?
    /// When a draining process gives up its last sessions.
    var drainUntil: MonotonicInstant?
    /// The longest idle time that one of its sessions was given; those of an adopted process come back
    /// without saying theirs.
    var sessionHold = Interval.zero
    /// An adopted one may have sessions that have not come back yet.
    var keepUntil: MonotonicInstant?
    /// Places of an adopted one that seem free may be those of such sessions.
    var keepsPlaces = false
    /// The balancer that it was adopted from still finishes requests on it.
    var isShared = false
    /// An earlier balancer had taken it out of service.
    var wasDraining = false
    /// It was launched otherwise than the configuration says now.
    var isStale = false

    /// What it says of itself.
    var statusText = ""
    var isBusy = false
    /// Open tunnels, and those among them without a session.
    var tunnels = 0
    var unpinnedTunnels = 0
    /// The sessions have changed since supervision was told.
    var isUnremembered = false
    /// It has changed since the group was settled.
    var isTouched = false
    /// How often an external server was taken out of service since it last answered.
    var outages = 0
    /// Health checks in a row that an external server has answered well, and those that it has not.
    var goodChecks = 0
    var badChecks = 0
    /// Requests in a row that an external server failed.
    var failuresInARow = 0
    /// Of an external server that is back after an outage and has not answered yet: the requests that
    /// it has from before.
    var probation: Int?

    init(
        weight: Int, rank: UInt64, generation: Int, threads: Int, now: MonotonicInstant,
        idleTimeout: Interval
    ) {
        self.weight = weight
        self.generation = generation
        self.threads = threads
        self.rank = rank
        self.idleTimeout = idleTimeout
        startedAt = now
        idleSince = now
        load = LoadAverage(at: now)
    }

    /// How many requests it may have at once.
    var slots: Int { probation.map { min($0 + 1, threads) } ?? threads }

    /// Nobody needs it at this moment.
    func isUnused(at now: MonotonicInstant) -> Bool {
        inFlight == 0 && queue.count == 0 && sessions == 0 && unpinnedTunnels == 0 && !isBusy
            && !isShared && (keepUntil ?? now) <= now
    }

    /// Nobody needs it but sessions that were never confirmed.
    func isDispensable(at now: MonotonicInstant) -> Bool {
        inFlight == 0 && queue.count == 0 && sessions == unconfirmed && tunnels == 0 && !isBusy
            && !isShared && (keepUntil ?? now) <= now
    }

    /// How long it has been ready; zero if it never was.
    func readyFor(at now: MonotonicInstant) -> Interval { readyAt.map { now - $0 } ?? .zero }
}
