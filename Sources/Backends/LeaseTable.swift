internal import HeapModule

/// A lease by its place in the table; stale ones are recognised by the serial.
struct LeaseReference: Equatable, Sendable {
    var index: UInt32
    var serial: UInt32
}

/// A session's life in the registry: what its process is kept for.
struct Lease: Sendable {
    var session: SessionID
    var process: ProcessHandle
    /// When the last request ended; renewing a lease is writing this and nothing else.
    var lastSeen: MonotonicInstant
    /// It ends when it was not seen for so long.
    var idle: Interval
    /// Requests in flight, and those that wait for a slot of its process.
    var active = 0
    /// Released by the application: it ends with its last request.
    var isEnding = false
    var serial: UInt32
    var isTaken = true
    /// The place has its one entry in the heap of checks.
    var hasCheck = false

    var endsAt: MonotonicInstant { lastSeen + idle }

    func isLive(at now: MonotonicInstant) -> Bool {
        !isEnding && (active > 0 || now < endsAt)
    }
}

/// The leases of a group by session, and which of them is to be looked at next.
///
/// Checks are lazy: a place has at most one entry in the heap, whose time is never later than the
/// end of the lease that holds the place. A renewal leaves the entry alone; when its time comes the
/// lease is looked at and the entry put back with a later time. An entry outlives its lease and
/// serves the place's next tenant, so the heap never has more entries than there are places.
struct LeaseTable: Sendable {
    /// Sessions beyond it are served, but keep no process alive.
    static let limit = 1_000_000

    /// When a place is to be looked at; ordered by time, then place, so that runs can be repeated.
    private struct Check: Comparable {
        var at: MonotonicInstant
        var index: UInt32

        static func < (left: Self, right: Self) -> Bool {
            (left.at, left.index) < (right.at, right.index)
        }
    }

    private var leases: [Lease] = []
    private var free: [UInt32] = []
    private var places: [SessionID: UInt32] = [:]
    private var checks = Heap<Check>()
    /// No check is set further ahead, or it could come too late for the place's next tenant.
    private var longestCheck: Interval

    init(sessionIdle: Interval) { longestCheck = sessionIdle }

    /// Looks at leases that begin from now on at least so often.
    mutating func shortenChecks(to sessionIdle: Interval) {
        longestCheck = min(longestCheck, sessionIdle)
    }

    var count: Int { places.count }
    var isFull: Bool { places.count >= Self.limit }
    var nextCheck: MonotonicInstant? { checks.min?.at }

    subscript(index: UInt32) -> Lease {
        get { leases[Int(index)] }
        _modify { yield &leases[Int(index)] }
    }

    func find(_ session: SessionID) -> UInt32? { places[session] }

    func find(_ reference: LeaseReference) -> UInt32? {
        let lease = leases[Int(reference.index)]
        return lease.isTaken && lease.serial == reference.serial ? reference.index : nil
    }

    func reference(_ index: UInt32) -> LeaseReference {
        LeaseReference(index: index, serial: leases[Int(index)].serial)
    }

    /// Enters a session that has no lease; nil when the table is full.
    mutating func insert(
        _ session: SessionID, on process: ProcessHandle, idle: Interval, now: MonotonicInstant
    ) -> UInt32? {
        if isFull { return nil }
        let index: UInt32
        if let reused = free.popLast() {
            index = reused
            let serial = leases[Int(index)].serial
            let hasCheck = leases[Int(index)].hasCheck
            leases[Int(index)] = Lease(
                session: session, process: process, lastSeen: now, idle: idle, serial: serial,
                hasCheck: hasCheck)
        } else {
            index = UInt32(leases.count)
            leases.append(
                Lease(session: session, process: process, lastSeen: now, idle: idle, serial: 0))
        }
        places[session] = index
        if !leases[Int(index)].hasCheck { setCheck(index, now: now) }
        return index
    }

    /// Binds a lease to another process; requests that still run on the old one are forgotten.
    mutating func move(_ index: UInt32, to process: ProcessHandle, now: MonotonicInstant) {
        leases[Int(index)].serial &+= 1
        leases[Int(index)].process = process
        leases[Int(index)].active = 0
        leases[Int(index)].isEnding = false
        leases[Int(index)].lastSeen = now
    }

    mutating func remove(_ index: UInt32) {
        places[leases[Int(index)].session] = nil
        leases[Int(index)].isTaken = false
        leases[Int(index)].serial &+= 1
        free.append(index)
    }

    /// The next lease that has ended by its idle time, still in the table; nil: none.
    mutating func nextEnded(now: MonotonicInstant) -> UInt32? {
        while let check = checks.min, check.at <= now {
            _ = checks.popMin()
            let index = check.index
            leases[Int(index)].hasCheck = false
            guard leases[Int(index)].isTaken else { continue }
            if leases[Int(index)].active == 0, leases[Int(index)].endsAt <= now { return index }
            setCheck(index, now: now)
        }
        return nil
    }

    /// As if the session had just been seen.
    mutating func renew(_ index: UInt32, now: MonotonicInstant) {
        leases[Int(index)].lastSeen = now
        if !leases[Int(index)].hasCheck { setCheck(index, now: now) }
    }

    /// The places of all leases.
    var taken: [UInt32] { leases.indices.filter { leases[$0].isTaken }.map { UInt32($0) } }

    /// Every lease in the order of places, for the invariants and for tests.
    var all: some Sequence<Lease> { leases.lazy.filter(\.isTaken) }
    var placeCount: Int { leases.count }
    var checkCount: Int { checks.count }

    private mutating func setCheck(_ index: UInt32, now: MonotonicInstant) {
        let lease = leases[Int(index)]
        let latest = now + longestCheck
        let wanted = lease.active > 0 ? latest : min(lease.endsAt, latest)
        leases[Int(index)].hasCheck = true
        checks.insert(Check(at: wanted, index: index))
    }
}
