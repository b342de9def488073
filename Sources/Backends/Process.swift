/// One place of a group's table, and the process that lives in it.
struct Process: Sendable {
    /// Counts the tenants of the place.
    var serial: UInt32 = 0
    var phase = ProcessPhase.gone
    /// Nil until spawned.
    var incarnation: Incarnation?
    var address: ProcessAddress?
    /// The public name; like `pid` kept after the end until the place has a new tenant.
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
    var queue = WaiterQueue()
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
    /// An external server's failed connections in a row.
    var outages = 0

    init(weight: Int, rank: UInt64, now: MonotonicInstant, idleTimeout: Interval) {
        self.weight = weight
        self.rank = rank
        self.idleTimeout = idleTimeout
        startedAt = now
        idleSince = now
        load = LoadAverage(at: now)
    }

    /// Nobody needs it at this moment.
    var isUnused: Bool { inFlight == 0 && queue.count == 0 && sessions == 0 }

    /// How long it has been ready; zero if it never was.
    func readyFor(at now: MonotonicInstant) -> Interval { readyAt.map { now - $0 } ?? .zero }
}
