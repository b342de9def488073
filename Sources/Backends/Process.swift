/// Whether a process counts towards the group's `min` and `max`.
enum Standing: Equatable, Sendable {
    case serving
    /// Its generation takes no sessions yet.
    case incoming
    /// Out of service; it stays for its own sessions.
    case outgoing
}

/// One entry of a group's table, with its process.
struct Process: Sendable {
    /// The number of processes that the entry has had.
    var serial: UInt32 = 0
    var phase = ProcessPhase.gone
    var standing = Standing.serving
    /// One of the `min` oldest serving processes, which stay; the others are transient.
    var isPermanent = false
    /// The group's restarts so far; processes of one launch share it.
    var generation: Int
    /// Slots: the group's `threads` when the process started.
    var threads: Int
    /// Nil until spawned.
    var incarnation: Incarnation?
    var address: ProcessAddress?
    /// The public name; like `pid`, kept after the exit until the entry is reused.
    var label = ""
    var pid: Int32?
    var reason: SpawnReason?
    /// The share of new sessions relative to the others.
    var weight = 1
    /// Numbers the starts of a group, so that the older of two is known.
    var rank: UInt64
    var startedAt: MonotonicInstant
    var readyAt: MonotonicInstant?
    /// How long it took to get ready; nil: it has not yet, or an earlier balancer started it.
    var readyAfter: Interval?

    var inFlight = 0
    /// Requests in flight without a session; each holds a place where sessions are limited.
    var unpinned = 0
    /// Leases on this process.
    var sessions = 0
    /// Those of them whose cookie has never come back.
    var unconfirmed = 0
    /// Its own waiters by arrival, and their sessions by turn.
    var queue = WaiterQueue()
    var turns = TurnQueue()
    /// Grows with each placement by the inverse of the weight: the lowest is next among equals.
    var turn: UInt64 = 0
    var load: LoadAverage
    /// The end of the last request; valid while none is in flight.
    var idleSince: MonotonicInstant
    /// `idle_timeout` with this process's jitter.
    var idleTimeout: Interval

    var requestsTotal: UInt64 = 0
    var errorsTotal: UInt64 = 0
    var hasServed = false
    /// `max_requests` with this process's jitter; 0: none.
    var requestLimit = 0
    /// When the process is too old; nil: never.
    var ageLimit: MonotonicInstant?
    /// The process will be replaced, for this reason.
    var markedForRecycling: StopReason?
    /// When a draining process gives up its last sessions.
    var drainUntil: MonotonicInstant?
    /// The longest idle time granted to one of its sessions; sessions of an adopted process return
    /// without their own.
    var sessionHold = Interval.zero
    /// Until then an adopted process may have sessions that have not returned yet.
    var keepUntil: MonotonicInstant?
    /// Apparently free places of an adopted process may belong to such sessions.
    var keepsPlaces = false
    /// The balancer that started it still finishes requests on it.
    var isShared = false
    /// An earlier balancer had taken it out of service, perhaps with its whole group.
    var wasDraining = false
    var wasRetired = false
    /// An earlier balancer knew of no session on it.
    var hadNoSessions = false
    /// An earlier balancer was killed while the process could serve: its record may be a moment old.
    var wasOrphaned = false
    /// It was launched with settings that have changed since.
    var isStale = false

    /// The text of its last `STATUS=`.
    var statusText = ""
    var isBusy = false
    /// Open tunnels, and those of them without a session.
    var tunnels = 0
    var unpinnedTunnels = 0
    /// The sessions have changed since supervision last recorded them.
    var isUnremembered = false
    /// Whether it has sessions, as supervision has recorded it.
    var isRememberedInUse = false
    /// It has changed since the group last settled.
    var isTouched = false
    /// Its share of sessions and slots while it starts slowly, of `SlowStart.whole`.
    var share = SlowStart.whole
    /// More about an external server.
    var server = ServerRecord()

    init(
        rank: UInt64, generation: Int, threads: Int, now: MonotonicInstant,
        idleTimeout: Interval
    ) {
        self.generation = generation
        self.threads = threads
        self.rank = rank
        self.idleTimeout = idleTimeout
        startedAt = now
        idleSince = now
        load = LoadAverage(at: now)
    }

    /// How many concurrent requests it may have.
    var slots: Int {
        let most = share == SlowStart.whole ? threads : max(1, threads * share / SlowStart.whole)
        return server.probation.map { min($0 + 1, most) } ?? most
    }

    /// The share of new sessions that it has now, relative to the others.
    var shareOfSessions: Int { weight * share }

    /// No request, session, waiter or tunnel uses it now.
    func isUnused(at now: MonotonicInstant) -> Bool {
        inFlight == 0 && queue.count == 0 && sessions == 0 && unpinnedTunnels == 0 && !isBusy
            && !isShared && (keepUntil ?? now) <= now
    }

    /// It has sessions, or may have some that have not come back since it was adopted.
    func isInUse(at now: MonotonicInstant) -> Bool {
        sessions > 0 || isShared || (keepUntil ?? now) > now
    }

    /// Only sessions that were never confirmed use it.
    func isDispensable(at now: MonotonicInstant) -> Bool {
        inFlight == 0 && queue.count == 0 && sessions == unconfirmed && tunnels == 0 && !isBusy
            && !isShared && (keepUntil ?? now) <= now
    }

    /// How long it has been ready; zero if it never was.
    func readyFor(at now: MonotonicInstant) -> Interval { readyAt.map { now - $0 } ?? .zero }
}
