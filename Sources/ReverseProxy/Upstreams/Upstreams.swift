internal import Backends
internal import Exchanges
internal import Reactor

/// One loop's connections to processes: made, kept between requests, left behind and closed.
///
/// Belongs to the loop's thread. It knows an exchange by its index alone and calls nobody back; the bytes in
/// `input` and `output` are moved by who reads and writes them. How a connection is made is the affair of
/// `Dialer`, which are used again that of `KeptConnections`, what a client leaves behind that of
/// `AbandonedRequests`.
final class Upstreams {
    var slab: Slab<Upstream>
    var pools: ProcessPools
    /// The first of the connections that are kept for one client alone, by the client's index.
    private var ownFirst: [Int: Int] = [:]
    /// Slots of requests whose client has left, by the index of the connection to the process.
    var abandoned: [Int: AbandonedSlot] = [:]
    private let plan: Plan
    private let loop: EventLoop
    let deadlines: Deadlines
    private let buffers: Buffers
    private let shared: SharedState

    init(
        capacity: Int, plan: Plan, loop: EventLoop, deadlines: Deadlines, buffers: Buffers,
        shared: SharedState
    ) {
        slab = Slab(capacity: capacity)
        pools = ProcessPools(groups: shared.groups.count)
        self.plan = plan
        self.loop = loop
        self.deadlines = deadlines
        self.buffers = buffers
        self.shared = shared
    }

    var now: Int64 { loop.now }
    var instant: MonotonicInstant { MonotonicInstant(nanoseconds: loop.now) }

    // MARK: The slab

    /// A connection, changed where it lies.
    subscript(place: Int) -> Upstream {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(slab.pointer(to: place)) }
        @inline(__always) unsafeMutableAddress { unsafe slab.pointer(to: place) }
    }

    func isTaken(_ place: Int) -> Bool { slab.isTaken(place) }

    func holds(_ place: Int, serial: UInt32) -> Bool { slab.holds(place, serial: serial) }

    func takenPlaces() -> [Int] { slab.takenPlaces() }

    func token(_ place: Int) -> EventToken {
        EventToken(.upstream, place: place, serial: slab.serial(place))
    }

    /// Takes in a connection, and watches it where it has a socket.
    ///
    /// - Parameter writable: room for bytes is an event too.
    /// - Returns: nil: there is no room for it, or it cannot be watched, and it is closed.
    func enter(_ connection: Upstream, writable: Bool) -> Int? {
        guard let place = slab.insert(connection) else {
            if let transport = connection.transport {
                transport.socket.close()
                shared.giveUpstream()
            }
            return nil
        }
        guard let socket = connection.transport?.socket else { return place }
        do {
            try loop.add(socket.descriptor, token: token(place).rawValue, writable: writable)
        } catch {
            close(place)
            return nil
        }
        self[place].wantsWrite = writable
        return place
    }

    // MARK: Bytes

    /// Reads once from a process, and remembers whether there is more to be read.
    func read(_ place: Int) -> Transfer {
        transport(place).receive(
            into: &self[place].input, &self[place].isReadable, peerClosed: self[place].peerClosed)
    }

    /// Sends what is ready for a process.
    func send(_ place: Int) -> FlushOutcome {
        while !self[place].output.isEmpty {
            switch transport(place).send(from: &self[place].output) {
            case .moved:
                self[place].sentAny = true
            case .wouldBlock:
                watchWrites(place, true)
                return .blocked
            case .end, .failed:
                return .broken
            }
        }
        self[place].output.rewind()
        if self[place].wantsWrite { watchWrites(place, false) }
        return .done
    }

    /// The process sees the end of the stream; what it sends is still read.
    func shutdownWrite(_ place: Int) { transport(place).socket.shutdownWrite() }

    /// Asks for an event, or no more for one, when the process takes bytes again.
    func watchWrites(_ place: Int, _ wanted: Bool) {
        guard self[place].wantsWrite != wanted else { return }
        self[place].wantsWrite = wanted
        loop.setWritable(
            wanted, transport(place).socket.descriptor, token: token(place).rawValue)
    }

    @inline(__always)
    private func transport(_ place: Int) -> Transport {
        guard let transport = self[place].transport else {
            preconditionFailure("there is nothing to carry bytes while the backlog is full")
        }
        return transport
    }

    // MARK: The end

    /// - Parameter latest: when the wait ends in any case; monotonic ns.
    func setDeadline(_ place: Int, after span: Interval, atMost latest: Int64 = .max) {
        let deadline = min(now &+ span.nanoseconds, latest)
        self[place].deadline = deadline
        deadlines.schedule(process: place, at: deadline)
    }

    /// Closes a connection, whatever it is at, and gives back all that it holds.
    func close(_ place: Int) {
        if self[place].phase == .idle {
            if self[place].owner >= 0 {
                unlinkOwn(place)
            } else {
                pools.unlink(place, in: slab)
            }
        } else if self[place].phase == .abandoned {
            giveBackAbandoned(place)
        }
        if let transport = self[place].transport {
            transport.close()
            shared.giveUpstream()
        }
        buffers.release(&self[place].input)
        buffers.release(&self[place].output)
        deadlines.cancel(process: place)
        slab.remove(place)
    }

    /// The request that was left behind is over: its slot is free.
    private func giveBackAbandoned(_ place: Int) {
        guard let slot = abandoned.removeValue(forKey: place) else { return }
        plan.groups[Int(self[place].group)].giveBack(
            slot.left.slot, slot.left.outcome, now: instant)
    }

    func closeAll() {
        for place in takenPlaces() where isTaken(place) { close(place) }
    }

    // MARK: Connections of one client

    /// The first connection that is kept for a client, the others by `nextIdle`; nil: none is.
    func firstOwn(of client: Int) -> Int? {
        // Nobody has one, as a rule.
        ownFirst.isEmpty ? nil : ownFirst[client]
    }

    /// The next connection that is kept for the same client; nil: that was the last.
    func nextOwn(after place: Int) -> Int? {
        let next = Int(self[place].nextIdle)
        return next >= 0 ? next : nil
    }

    /// Adds one to the front of the list of a client.
    func linkOwn(_ place: Int, of client: Int) {
        let first = firstOwn(of: client)
        self[place].owner = Int32(truncatingIfNeeded: client)
        self[place].nextIdle = Int32(truncatingIfNeeded: first ?? -1)
        self[place].previousIdle = -1
        if let first { self[first].previousIdle = Int32(truncatingIfNeeded: place) }
        ownFirst[client] = place
    }

    /// Takes one out of the list of its owner.
    func unlinkOwn(_ place: Int) {
        let next = self[place].nextIdle
        let previous = self[place].previousIdle
        if previous >= 0 {
            self[Int(previous)].nextIdle = next
        } else {
            ownFirst[Int(self[place].owner)] = next >= 0 ? Int(next) : nil
        }
        if next >= 0 { self[Int(next)].previousIdle = previous }
        self[place].nextIdle = -1
        self[place].previousIdle = -1
    }
}
