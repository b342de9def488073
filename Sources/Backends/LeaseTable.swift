internal import HeapModule

/// A lease by its index in the table; the serial detects stale references.
package struct LeaseReference: Equatable, Sendable {
    var index: UInt32
    var serial: UInt32
}

/// A session in the registry; a live lease keeps its process alive.
struct Lease: Sendable {
    var session: SessionID
    var process: ProcessHandle
    /// When the last request ended; renewing a lease only writes this.
    var lastSeen: MonotonicInstant
    /// The lease ends after this long without a request; see `unconfirmed`.
    var idle: Interval
    /// The shorter limit while the client has not sent the cookie back; nil: it has.
    fileprivate(set) var unconfirmed: Interval?
    /// Requests in flight or waiting for a slot of its process.
    fileprivate(set) var active = 0
    /// Open tunnels that began in the session.
    fileprivate(set) var tunnels = 0
    /// What the process must still learn of the session; nil: a response has reached the client.
    var owed: Grant.Affinity?
    /// The client got the cookie with a waiting page.
    var isOnPage = false
    /// The application released the session: it ends with its last request.
    var isEnding = false
    var serial: UInt32
    var isTaken = true
    /// Whether the index has its one entry in the heap of checks.
    var hasCheck = false
    /// Since when it could be evicted for another session; nil: it is in use or confirmed.
    fileprivate(set) var dispensableSince: MonotonicInstant?
    /// Its neighbours in the list of leases that could be evicted.
    fileprivate(set) var previous: UInt32?
    fileprivate(set) var next: UInt32?

    var endsAt: MonotonicInstant { lastSeen + (unconfirmed.map { min($0, idle) } ?? idle) }
    var isConfirmed: Bool { unconfirmed == nil }
    /// No response has carried the cookie to the client, so no request of the session can follow.
    var isUnissued: Bool { owed == .new && !isConfirmed && !isOnPage && tunnels == 0 }

    func isLive(at now: MonotonicInstant) -> Bool {
        !isEnding && (active > 0 || now < endsAt)
    }
}

/// The leases of a group by session, and which of them to check next.
///
/// Checks are lazy: an index has at most one entry in the heap, whose time is never later than the
/// end of the lease at that index. A renewal leaves the entry alone; when its time comes the lease
/// is checked and the entry put back with a later time. An entry outlives its lease and serves the
/// next lease at its index, so the heap never has more entries than the table.
struct LeaseTable: Sendable {
    /// When an index is due for a check; ordered by time, then index, so that runs are
    /// reproducible.
    private struct Check: Comparable {
        var at: MonotonicInstant
        var index: UInt32

        static func < (left: Self, right: Self) -> Bool {
            (left.at, left.index) < (right.at, right.index)
        }
    }

    private var leases: [Lease] = []
    private var free: [UInt32] = []
    private var indices: [SessionID: UInt32] = [:]
    private var checks = Heap<Check>()
    /// No check is scheduled further ahead, or it could be too late for the next lease at its
    /// index.
    private var longestCheck: Interval
    /// Sessions beyond the limit are served, but keep no process alive.
    private let limit: Int
    /// The ends of the list of evictable leases, longest unused first.
    private(set) var firstDispensable: UInt32?
    private var lastDispensable: UInt32?

    init(sessionIdle: Interval, limit: Int) {
        longestCheck = sessionIdle
        self.limit = limit
    }

    /// Checks leases that begin from now on at least this often.
    mutating func shortenChecks(to sessionIdle: Interval) {
        longestCheck = min(longestCheck, sessionIdle)
    }

    var count: Int { indices.count }
    var isFull: Bool { indices.count >= limit }
    /// The remaining room is reserved for sessions that arrive while none can be evicted.
    var isCrowded: Bool { indices.count >= limit - limit / 64 }
    /// Hysteresis: the table counts as crowded until it has this much room.
    var isAtEase: Bool { indices.count <= limit - limit / 16 }
    var nextCheck: MonotonicInstant? { checks.min?.at }

    subscript(index: UInt32) -> Lease {
        get { leases[Int(index)] }
        _modify { yield &leases[Int(index)] }
    }

    func find(_ session: SessionID) -> UInt32? { indices[session] }

    func find(_ reference: LeaseReference) -> UInt32? {
        let lease = leases[Int(reference.index)]
        return lease.isTaken && lease.serial == reference.serial ? reference.index : nil
    }

    func reference(_ index: UInt32) -> LeaseReference {
        LeaseReference(index: index, serial: leases[Int(index)].serial)
    }

    /// Adds a session that has no lease; nil when the table is full.
    ///
    /// - Parameters:
    ///   - unconfirmed: the limit until the client sends the cookie back; nil: it has.
    ///   - owed: what the process must learn of the session; nil: it knows it.
    mutating func insert(
        _ session: SessionID, on process: ProcessHandle, idle: Interval, unconfirmed: Interval?,
        owed: Grant.Affinity?, now: MonotonicInstant
    ) -> UInt32? {
        if isFull { return nil }
        let index: UInt32
        if let reused = free.popLast() {
            index = reused
            let serial = leases[Int(index)].serial
            let hasCheck = leases[Int(index)].hasCheck
            leases[Int(index)] = Lease(
                session: session, process: process, lastSeen: now, idle: idle,
                unconfirmed: unconfirmed, owed: owed, serial: serial, hasCheck: hasCheck)
        } else {
            index = UInt32(leases.count)
            leases.append(
                Lease(
                    session: session, process: process, lastSeen: now, idle: idle,
                    unconfirmed: unconfirmed, owed: owed, serial: 0))
        }
        indices[session] = index
        list(index, now: now)
        if !leases[Int(index)].hasCheck { setCheck(index, now: now) }
        return index
    }

    /// Binds a lease to another process; requests still running on the old one are forgotten.
    mutating func move(
        _ index: UInt32, to process: ProcessHandle, owed: Grant.Affinity?, now: MonotonicInstant
    ) {
        leases[Int(index)].serial &+= 1
        leases[Int(index)].process = process
        leases[Int(index)].active = 0
        leases[Int(index)].tunnels = 0
        leases[Int(index)].isEnding = false
        leases[Int(index)].owed = owed
        leases[Int(index)].lastSeen = now
        list(index, now: now)
    }

    mutating func remove(_ index: UInt32) {
        unlist(index)
        indices[leases[Int(index)].session] = nil
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

    /// Restarts the idle time.
    mutating func renew(_ index: UInt32, now: MonotonicInstant) {
        leases[Int(index)].lastSeen = now
        unlist(index)
        list(index, now: now)
        if !leases[Int(index)].hasCheck { setCheck(index, now: now) }
    }

    // MARK: Participants of a session

    /// A request has arrived.
    mutating func join(_ index: UInt32) {
        unlist(index)
        leases[Int(index)].active += 1
    }

    /// A request has ended; the idle time starts now.
    mutating func leave(_ index: UInt32, now: MonotonicInstant) {
        leases[Int(index)].active = max(0, leases[Int(index)].active - 1)
        leases[Int(index)].lastSeen = now
        list(index, now: now)
    }

    mutating func beginTunnel(_ index: UInt32) {
        unlist(index)
        leases[Int(index)].tunnels += 1
    }

    mutating func endTunnel(_ index: UInt32, now: MonotonicInstant) {
        leases[Int(index)].tunnels = max(0, leases[Int(index)].tunnels - 1)
        list(index, now: now)
    }

    /// The client has sent the cookie back.
    mutating func confirm(_ index: UInt32) {
        unlist(index)
        leases[Int(index)].unconfirmed = nil
    }

    /// Appends an unused unconfirmed lease to the list of evictable ones.
    private mutating func list(_ index: UInt32, now: MonotonicInstant) {
        let lease = leases[Int(index)]
        guard !lease.isConfirmed, lease.active == 0, lease.tunnels == 0,
            lease.dispensableSince == nil
        else { return }
        leases[Int(index)].dispensableSince = now
        leases[Int(index)].previous = lastDispensable
        if let last = lastDispensable {
            leases[Int(last)].next = index
        } else {
            firstDispensable = index
        }
        lastDispensable = index
    }

    private mutating func unlist(_ index: UInt32) {
        let lease = leases[Int(index)]
        guard lease.dispensableSince != nil else { return }
        if let previous = lease.previous {
            leases[Int(previous)].next = lease.next
        } else {
            firstDispensable = lease.next
        }
        if let next = lease.next {
            leases[Int(next)].previous = lease.previous
        } else {
            lastDispensable = lease.previous
        }
        leases[Int(index)].previous = nil
        leases[Int(index)].next = nil
        leases[Int(index)].dispensableSince = nil
    }

    /// The indices of all leases.
    var taken: [UInt32] { leases.indices.filter { leases[$0].isTaken }.map { UInt32($0) } }

    /// Every lease in the order of indices, for the invariants and for tests.
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
