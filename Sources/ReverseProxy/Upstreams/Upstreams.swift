internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Synchronization

/// One loop's connections to processes: entered, reused, abandoned and closed.
///
/// Belongs to the loop's thread. It knows exchanges only by index and makes no callbacks; its
/// callers fill `output` and drain `input`. `Dialer` makes connections, `KeptConnections` reuses
/// them, and `AbandonedRequests` handles those that a client leaves behind.
final class Upstreams {
    var slab: Slab<Upstream>
    var pools: ProcessPools
    /// The first connection that is kept for one client alone, by the client's index.
    private var ownFirst: [Int: Int] = [:]
    /// Slots of requests whose client has left, by the index of the connection to the process.
    var abandoned: [Int: AbandonedSlot] = [:]
    /// What of FastCGI parameters did not fit into the output, by the connection.
    var unsentHeads: [Int: [UInt8]] = [:]
    private let errorTexts: ErrorTexts
    /// The loop's.
    private let index: Int
    private let plan: Plan
    private let loop: EventLoop
    let deadlines: Deadlines
    private let buffers: Buffers
    private let shared: SharedState

    init(
        capacity: Int, index: Int, plan: Plan, loop: EventLoop, deadlines: Deadlines,
        buffers: Buffers, shared: SharedState
    ) {
        self.index = index
        slab = Slab(capacity: capacity)
        pools = ProcessPools(groups: shared.groups.count)
        self.plan = plan
        self.loop = loop
        self.deadlines = deadlines
        self.buffers = buffers
        self.shared = shared
        errorTexts = ErrorTexts(shared, plan: plan)
    }

    var now: Int64 { loop.now }
    var instant: MonotonicInstant { MonotonicInstant(nanoseconds: loop.now) }

    // MARK: The slab

    /// A connection, modified in place.
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

    /// Adds a connection, and watches it if it has a socket.
    ///
    /// - Parameter writable: whether write events are reported too.
    /// - Returns: nil: no entry is free, or it cannot be watched, and it was closed.
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

    /// Reads once from a process, and records whether there may be more.
    ///
    /// What is in records is taken out of them: of a `moved` read nothing may be left.
    func read(_ entry: Int) -> Transfer {
        let end = self[entry].input.end
        let transfer = transport(entry).receive(
            into: &self[entry].input, &self[entry].isReadable, peerClosed: self[entry].peerClosed)
        if self[entry].codec.hasRecords, case .moved = transfer { takeRecords(entry, from: end) }
        return transfer
    }

    /// Leaves of what was read, from a position on, the pieces of the response.
    private func takeRecords(_ entry: Int, from start: Int) {
        let bytes = unsafe self[entry].input.wholeBytes
        var position = start
        var end = start
        steps: while position < bytes.count {
            switch self[entry].records.next(bytes.extracting(position...)) {
            case .output(let consumed, let range):
                let piece = position &+ range.lowerBound..<position &+ range.upperBound
                end = self[entry].input.moveDown(piece, to: end)
                position &+= consumed
            case .errors(let consumed, let range, let endsRecord):
                let piece = position &+ range.lowerBound..<position &+ range.upperBound
                errorTexts.add(
                    bytes.extracting(piece), endsRecord: endsRecord, of: self[entry].process,
                    group: Int(self[entry].group), over: entry, now: now)
                position &+= consumed
            case .end(let consumed): position &+= consumed
            case .needMore, .bad: break steps
            }
        }
        self[entry].input.truncate(to: end)
    }

    /// Sends the output to a process.
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

    /// Closes the writing direction; input is still read.
    func shutdownWrite(_ entry: Int) { transport(entry).socket.shutdownWrite() }

    /// Adds or removes the interest in an event when the process can be written to again.
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

    /// - Parameter latest: the latest end of the wait; monotonic ns.
    func setDeadline(_ entry: Int, after span: Interval, atMost latest: Int64 = .max) {
        let deadline = min(now &+ span.nanoseconds, latest)
        self[entry].deadline = deadline
        deadlines.schedule(process: entry, at: deadline)
    }

    /// Closes a connection in any state, and releases everything that it holds.
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
        if self[entry].codec.hasRecords { forgetRecords(entry) }
        if self[entry].codec.keepsWorkerBusy, self[entry].phase == .idle { noteKept(-1) }
        buffers.release(&self[entry].input)
        buffers.release(&self[entry].output)
        deadlines.cancel(process: entry)
        slab.remove(entry)
    }

    private func forgetRecords(_ entry: Int) {
        errorTexts.forget(entry)
        unsentHeads[entry] = nil
    }

    /// Counts idle connections that may occupy a worker of their process (`UpstreamCodec.keepsWorkerBusy`).
    func noteKept(_ change: Int) {
        shared.shares[index].keptRecords.add(change, ordering: .relaxed)
    }

    /// Closes the idle connections to a process, so that it takes others.
    func letGo(of process: ProcessHandle, group: Int) {
        guard group < plan.groups.count else { return }
        while let entry = pools.take(process, group: group, from: slab) { close(entry) }
    }

    /// Has all loops close their idle connections to a process that a further one is made to: each may hold a
    /// worker, and the further one would wait until it is given up.
    func letOthersGo(of process: ProcessHandle, group: Int) {
        letGo(of: process, group: group)
        for (other, share) in shared.shares.enumerated()
        where other != index && share.keptRecords.load(ordering: .relaxed) > 0 {
            share.mailbox.post(.letGo(process, group: group))
        }
    }

    /// The abandoned request is over: returns its slot.
    private func giveBackAbandoned(_ entry: Int) {
        guard let slot = abandoned.removeValue(forKey: entry) else { return }
        plan.groups[Int(self[entry].group)].giveBack(
            slot.left.slot, slot.left.outcome, now: instant)
    }

    func closeAll() {
        for entry in takenEntries() where isTaken(entry) { close(entry) }
    }

    // MARK: Connections of one client

    /// The first connection kept for a client, the others by `nextIdle`; nil: none.
    func firstOwn(of client: Int) -> Int? {
        // Usually no client has one.
        ownFirst.isEmpty ? nil : ownFirst[client]
    }

    /// The next connection kept for the same client; nil: that was the last.
    func nextOwn(after entry: Int) -> Int? {
        let next = Int(self[entry].nextIdle)
        return next >= 0 ? next : nil
    }

    /// Adds one to the front of a client's list.
    func linkOwn(_ entry: Int, of client: Int) {
        let first = firstOwn(of: client)
        self[entry].owner = Int32(truncatingIfNeeded: client)
        self[entry].nextIdle = Int32(truncatingIfNeeded: first ?? -1)
        self[entry].previousIdle = -1
        if let first { self[first].previousIdle = Int32(truncatingIfNeeded: entry) }
        ownFirst[client] = entry
    }

    /// Removes one from its owner's list.
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
