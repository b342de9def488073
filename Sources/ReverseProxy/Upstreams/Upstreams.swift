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
    subscript(entry: Int) -> Upstream {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(slab.pointer(to: entry)) }
        @inline(__always) unsafeMutableAddress { unsafe slab.pointer(to: entry) }
    }

    func isTaken(_ entry: Int) -> Bool { slab.isTaken(entry) }

    func holds(_ entry: Int, serial: UInt32) -> Bool { slab.holds(entry, serial: serial) }

    func takenEntries() -> [Int] { slab.takenEntries() }

    func token(_ entry: Int) -> EventToken {
        EventToken(.upstream, entry: entry, serial: slab.serial(entry))
    }

    /// Takes in a connection, and watches it where it has a socket.
    ///
    /// - Parameter writable: room for bytes is an event too.
    /// - Returns: nil: there is no room for it, or it cannot be watched, and it is closed.
    func enter(_ connection: Upstream, writable: Bool) -> Int? {
        guard let entry = slab.insert(connection) else {
            if let transport = connection.transport {
                transport.socket.close()
                shared.giveUpstream()
            }
            return nil
        }
        guard let socket = connection.transport?.socket else { return entry }
        do {
            try loop.add(socket.descriptor, token: token(entry).rawValue, writable: writable)
        } catch {
            close(entry)
            return nil
        }
        self[entry].wantsWrite = writable
        return entry
    }

    // MARK: Bytes

    /// Reads once from a process, and remembers whether there is more to be read.
    func read(_ entry: Int) -> Transfer {
        transport(entry).receive(
            into: &self[entry].input, &self[entry].isReadable, peerClosed: self[entry].peerClosed)
    }

    /// Sends what is ready for a process.
    func send(_ entry: Int) -> FlushOutcome {
        while !self[entry].output.isEmpty {
            switch transport(entry).send(from: &self[entry].output) {
            case .moved:
                self[entry].sentAny = true
            case .wouldBlock:
                watchWrites(entry, true)
                return .blocked
            case .end, .failed:
                return .broken
            }
        }
        self[entry].output.rewind()
        if self[entry].wantsWrite { watchWrites(entry, false) }
        return .done
    }

    /// The process sees the end of the stream; what it sends is still read.
    func shutdownWrite(_ entry: Int) { transport(entry).socket.shutdownWrite() }

    /// Asks for an event, or no more for one, when the process takes bytes again.
    func watchWrites(_ entry: Int, _ wanted: Bool) {
        guard self[entry].wantsWrite != wanted else { return }
        self[entry].wantsWrite = wanted
        loop.setWritable(
            wanted, transport(entry).socket.descriptor, token: token(entry).rawValue)
    }

    @inline(__always)
    private func transport(_ entry: Int) -> Transport {
        guard let transport = self[entry].transport else {
            preconditionFailure("there is nothing to carry bytes while the backlog is full")
        }
        return transport
    }

    // MARK: The end

    /// - Parameter latest: when the wait ends in any case; monotonic ns.
    func setDeadline(_ entry: Int, after span: Interval, atMost latest: Int64 = .max) {
        let deadline = min(now &+ span.nanoseconds, latest)
        self[entry].deadline = deadline
        deadlines.schedule(process: entry, at: deadline)
    }

    /// Closes a connection, whatever it is at, and gives back all that it holds.
    func close(_ entry: Int) {
        if self[entry].phase == .idle {
            if self[entry].owner >= 0 {
                unlinkOwn(entry)
            } else {
                pools.unlink(entry, in: slab)
            }
        } else if self[entry].phase == .abandoned {
            giveBackAbandoned(entry)
        }
        if let transport = self[entry].transport {
            transport.close()
            shared.giveUpstream()
        }
        buffers.release(&self[entry].input)
        buffers.release(&self[entry].output)
        deadlines.cancel(process: entry)
        slab.remove(entry)
    }

    /// The request that was left behind is over: its slot is free.
    private func giveBackAbandoned(_ entry: Int) {
        guard let slot = abandoned.removeValue(forKey: entry) else { return }
        plan.groups[Int(self[entry].group)].giveBack(
            slot.left.slot, slot.left.outcome, now: instant)
    }

    func closeAll() {
        for entry in takenEntries() where isTaken(entry) { close(entry) }
    }

    // MARK: Connections of one client

    /// The first connection that is kept for a client, the others by `nextIdle`; nil: none is.
    func firstOwn(of client: Int) -> Int? {
        // Nobody has one, as a rule.
        ownFirst.isEmpty ? nil : ownFirst[client]
    }

    /// The next connection that is kept for the same client; nil: that was the last.
    func nextOwn(after entry: Int) -> Int? {
        let next = Int(self[entry].nextIdle)
        return next >= 0 ? next : nil
    }

    /// Adds one to the front of the list of a client.
    func linkOwn(_ entry: Int, of client: Int) {
        let first = firstOwn(of: client)
        self[entry].owner = Int32(truncatingIfNeeded: client)
        self[entry].nextIdle = Int32(truncatingIfNeeded: first ?? -1)
        self[entry].previousIdle = -1
        if let first { self[first].previousIdle = Int32(truncatingIfNeeded: entry) }
        ownFirst[client] = entry
    }

    /// Takes one out of the list of its owner.
    func unlinkOwn(_ entry: Int) {
        let next = self[entry].nextIdle
        let previous = self[entry].previousIdle
        if previous >= 0 {
            self[Int(previous)].nextIdle = next
        } else {
            ownFirst[Int(self[entry].owner)] = next >= 0 ? Int(next) : nil
        }
        if next >= 0 { self[Int(next)].previousIdle = previous }
        self[entry].nextIdle = -1
        self[entry].previousIdle = -1
    }
}
