internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// One loop's client connections, and the streams of those that speak HTTP/2.
///
/// Belongs to the loop's thread. It moves bytes between a client and its `input` and `output`, keeps its
/// deadlines and ends it; what the bytes mean, and what becomes of an exchange, is its callers' affair:
/// it calls nobody back. Extensions: bytes, output, deadlines, streams.
final class Downstreams {
    private(set) var slab: Slab<Downstream>
    /// By the connection's index.
    var multiplexers: [Int: Multiplexer] = [:]
    private(set) var openStreams = 0
    /// The entries that streams may take; the others are for connections.
    private let streamLimit: Int
    let plan: Plan
    let loop: EventLoop
    let deadlines: Deadlines
    let buffers: Buffers
    let agenda: Agenda
    let drain: DrainState
    private let shared: SharedState
    /// The loop's.
    private let index: Int

    init(
        capacity: Int, index: Int, plan: Plan, loop: EventLoop, deadlines: Deadlines,
        buffers: Buffers,
        agenda: Agenda, drain: DrainState, shared: SharedState
    ) {
        slab = Slab(capacity: capacity)
        self.plan = plan
        // A stream of HTTP/2 takes an entry like a connection.
        streamLimit = plan.settings.limits.connections
        self.index = index
        self.loop = loop
        self.deadlines = deadlines
        self.buffers = buffers
        self.agenda = agenda
        self.drain = drain
        self.shared = shared
    }

    var now: Int64 { loop.now }

    // MARK: The slab

    /// A connection or stream, changed where it lies.
    subscript(entry: Int) -> Downstream {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(slab.pointer(to: entry)) }
        @inline(__always) unsafeMutableAddress { unsafe slab.pointer(to: entry) }
    }

    func isTaken(_ entry: Int) -> Bool { slab.isTaken(entry) }

    func holds(_ entry: Int, serial: UInt32) -> Bool { slab.holds(entry, serial: serial) }

    func serial(_ entry: Int) -> UInt32 { slab.serial(entry) }

    func takenEntries() -> [Int] { slab.takenEntries() }

    func token(_ entry: Int) -> EventToken {
        EventToken(.downstream, entry: entry, serial: slab.serial(entry))
    }

    /// Goes on with a connection once the others have had their turn.
    func postpone(_ entry: Int) { agenda.postpone(token(entry)) }

    // MARK: The beginning

    /// Takes in a connection that is counted over all loops already, and watches it.
    ///
    /// - Returns: nil: there is no entry for it, or it cannot be watched, and it is closed.
    func enter(_ socket: StreamSocket, address: IPAddress?, from listener: Int) -> Int? {
        var connection = Downstream(.connection(.clear(socket)), address: address)
        connection.listener = Int32(truncatingIfNeeded: listener)
        guard let entry = slab.insert(connection) else {
            socket.close()
            shared.connectionClosed(worker: index)
            return nil
        }
        shared.shares[index].counters.add(.connections)
        do {
            try loop.add(socket.descriptor, token: token(entry).rawValue)
        } catch {
            socket.close()
            release(entry)
            countOut()
            return nil
        }
        return entry
    }

    /// Takes in a stream; nil: there are as many as there may be.
    func enter(stream: Downstream) -> Int? {
        guard openStreams < streamLimit, let entry = slab.insert(stream) else { return nil }
        openStreams += 1
        return entry
    }

    // MARK: The end

    /// Gives back what a connection held here; its descriptor is another's by now, or closed.
    func release(_ entry: Int) {
        buffers.release(&self[entry].input)
        buffers.release(&self[entry].output)
        buffers.release(&self[entry].backlog)
        deadlines.cancel(client: entry)
        slab.remove(entry)
    }

    /// Stops the events of a connection that goes elsewhere.
    func unwatch(_ socket: StreamSocket) { loop.remove(socket.descriptor) }

    /// A stream that was let in is here no more.
    func countOutStream() { openStreams -= 1 }

    /// A connection that was let in is here no more.
    func countOut() {
        shared.shares[index].counters.subtract(.connections)
        shared.connectionClosed(worker: index)
    }
}
