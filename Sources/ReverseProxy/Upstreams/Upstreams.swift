internal import Backends
internal import Exchanges
internal import Reactor

/// One loop's connections to processes: made, kept between requests, left behind and closed.
///
/// Belongs to the loop's thread. It knows an exchange by its index alone and calls nobody back: what
/// becomes of a connection it returns, and the bytes in `input` and `output` are moved by who reads and
/// writes them. Extensions: connecting, whose program listens, re-use, and requests left behind.
final class Upstreams {
    var slab: Slab<Upstream>
    var pools: ProcessPools
    var diagnosis = PeerDiagnosis()
    /// The first of the connections that are kept for one client alone, by the client's index.
    var ownFirst: [Int: Int] = [:]
    /// Slots of requests whose client has left, by the index of the connection to the process.
    var abandoned: [Int: AbandonedSlot] = [:]
    let plan: Plan
    let loop: EventLoop
    let deadlines: Deadlines
    let buffers: Buffers
    let shared: SharedState

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
            releaseAbandoned(place)
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

    func closeAll() {
        for place in takenPlaces() where isTaken(place) { close(place) }
    }
}
