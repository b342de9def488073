internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// One loop's client connections, and the streams of HTTP/2 connections.
///
/// Belongs to the loop's thread. It moves bytes between a client and its `input` and `output`,
/// keeps its deadlines and closes it. Its callers interpret the bytes and manage exchanges: it
/// makes no callbacks. Extensions: bytes, output, deadlines, streams.
final class Downstreams {
    private(set) var slab: Slab<Downstream>
    /// By the connection's index.
    var multiplexers: [Int: Multiplexer] = [:]
    private(set) var openStreams = 0
    /// The number of entries for streams; the others are for connections.
    private let streamLimit: Int
    let plan: Plan
    let loop: EventLoop
    let deadlines: Deadlines
    let buffers: Buffers
    let agenda: Agenda
    let drain: DrainState
    private let shared: SharedState
    /// The loop's index.
    private let index: Int

    init(
        capacity: Int, index: Int, plan: Plan, loop: EventLoop, deadlines: Deadlines,
        buffers: Buffers,
        agenda: Agenda, drain: DrainState, shared: SharedState
    ) {
        slab = Slab(capacity: capacity)
        self.plan = plan
        // An HTTP/2 stream takes an entry like a connection.
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

    /// A connection or stream, modified in place.
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

    /// Continues with a connection after the others had their turn.
    func postpone(_ entry: Int) { agenda.postpone(token(entry)) }

    // MARK: The beginning

    /// Adds a connection that is already counted over all loops, and watches it.
    ///
    /// - Returns: nil: no entry is free, or it cannot be watched, and it was closed.
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

    /// Adds a stream; nil: the maximum is reached.
    func enter(stream: Downstream) -> Int? {
        guard openStreams < streamLimit, let entry = slab.insert(stream) else { return nil }
        openStreams += 1
        return entry
    }

    // MARK: The end

    /// Releases what a connection held here; its descriptor was passed on, or closed.
    func release(_ entry: Int) {
        buffers.release(&self[entry].input)
        buffers.release(&self[entry].output)
        buffers.release(&self[entry].backlog)
        deadlines.cancel(client: entry)
        slab.remove(entry)
    }

    /// Stops the events of a connection that moves elsewhere.
    func unwatch(_ socket: StreamSocket) { loop.remove(socket.descriptor) }

    /// Counts a stream out.
    func countOutStream() { openStreams -= 1 }

    /// Counts a connection out.
    func countOut() {
        shared.shares[index].counters.subtract(.connections)
        shared.connectionClosed(worker: index)
    }
}
