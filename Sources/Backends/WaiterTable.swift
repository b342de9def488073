/// What a grant will contain about the request's session.
struct Intent: Equatable, Sendable {
    var session: SessionID?
    var affinity: Grant.Affinity
    var placed: Grant.Placed
    /// The session's lease, if it has one.
    var lease: LeaseReference?
    /// The client has sent the session's cookie.
    var isConfirmed = false
    /// It has no session, but one may begin in it.
    var reservesPlace = false
}

/// A request that waits for a slot.
struct Waiter: Sendable {
    /// The queue that it is in.
    enum Queue: Equatable, Sendable {
        case none
        case group
        case process(UInt32)
    }

    var request: AdmissionRequest
    var intent: Intent
    /// Active while the waiter waits for its session's process.
    var lease: LeaseReference?
    /// Its client has a waiting page: the session begins at its turn, without a request.
    var isOnPage = false
    var since: MonotonicInstant
    var queue = Queue.none
    /// Its session's line at the process that it waits for.
    var line: UInt32?
    var nextInLine: UInt32?
    var previousInLine: UInt32?
    var serial: UInt32
    fileprivate(set) var next: UInt32?
    fileprivate(set) var previous: UInt32?
}

/// The ends of a queue; its links are in the waiters.
struct WaiterQueue: Sendable {
    fileprivate(set) var first: UInt32?
    fileprivate(set) var last: UInt32?
    fileprivate(set) var count = 0
}

/// All waiters of a group in one slab, linked into queues, so that leaving takes constant time.
struct WaiterTable: Sendable {
    private var waiters: [Waiter] = []
    private var free: [UInt32] = []
    var lines = LineTable()

    var count: Int { waiters.count - free.count }

    subscript(index: UInt32) -> Waiter {
        get { waiters[Int(index)] }
        _modify { yield &waiters[Int(index)] }
    }

    /// Nil when the ticket is stale: its waiter has been served or has left.
    func find(_ ticket: WaiterTicket) -> UInt32? {
        guard Int(ticket.index) < waiters.count else { return nil }
        let waiter = waiters[Int(ticket.index)]
        return waiter.serial == ticket.serial && waiter.queue != .none ? ticket.index : nil
    }

    func ticket(_ index: UInt32) -> WaiterTicket {
        WaiterTicket(index: index, serial: waiters[Int(index)].serial)
    }

    mutating func insert(
        _ request: AdmissionRequest, _ intent: Intent, since: MonotonicInstant
    ) -> UInt32 {
        if let index = free.popLast() {
            let serial = waiters[Int(index)].serial
            waiters[Int(index)] = Waiter(
                request: request, intent: intent, since: since, serial: serial)
            return index
        }
        waiters.append(Waiter(request: request, intent: intent, since: since, serial: 0))
        return UInt32(waiters.count - 1)
    }

    /// Frees the entry of a waiter that is in no queue.
    mutating func remove(_ index: UInt32) {
        precondition(waiters[Int(index)].queue == .none, "unlink a waiter first")
        waiters[Int(index)].serial &+= 1
        free.append(index)
    }

    /// Inserts a waiter by arrival.
    ///
    /// Almost always at the end; one that has lost its process keeps the rank of its arrival.
    mutating func link(_ index: UInt32, into queue: inout WaiterQueue, _ name: Waiter.Queue) {
        var ahead = queue.last
        while let candidate = ahead, waiters[Int(candidate)].since > waiters[Int(index)].since {
            ahead = waiters[Int(candidate)].previous
        }
        let behind = ahead.map { waiters[Int($0)].next } ?? queue.first
        waiters[Int(index)].previous = ahead
        waiters[Int(index)].next = behind
        waiters[Int(index)].queue = name
        if let ahead { waiters[Int(ahead)].next = index } else { queue.first = index }
        if let behind { waiters[Int(behind)].previous = index } else { queue.last = index }
        queue.count += 1
    }

    mutating func unlink(_ index: UInt32, from queue: inout WaiterQueue) {
        let next = waiters[Int(index)].next
        let previous = waiters[Int(index)].previous
        if let previous { waiters[Int(previous)].next = next } else { queue.first = next }
        if let next { waiters[Int(next)].previous = previous } else { queue.last = previous }
        waiters[Int(index)].next = nil
        waiters[Int(index)].previous = nil
        waiters[Int(index)].queue = .none
        queue.count -= 1
    }
}
