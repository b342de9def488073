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
    /// The places that streams may take; the others are for connections.
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
        // A stream of HTTP/2 takes a place like a connection.
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
    subscript(place: Int) -> Downstream {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(slab.pointer(to: place)) }
        @inline(__always) unsafeMutableAddress { unsafe slab.pointer(to: place) }
    }

    func isTaken(_ place: Int) -> Bool { slab.isTaken(place) }

    func holds(_ place: Int, serial: UInt32) -> Bool { slab.holds(place, serial: serial) }

    func serial(_ place: Int) -> UInt32 { slab.serial(place) }

    func takenPlaces() -> [Int] { slab.takenPlaces() }

    func token(_ place: Int) -> EventToken {
        EventToken(.downstream, place: place, serial: slab.serial(place))
    }

    /// Goes on with a connection once the others have had their turn.
    func postpone(_ place: Int) { agenda.postpone(token(place)) }

    // MARK: The beginning

    /// Takes in a connection that is counted over all loops already, and watches it.
    ///
    /// - Returns: nil: there is no place for it, or it cannot be watched, and it is closed.
    func enter(_ socket: StreamSocket, address: IPAddress?, from listener: Int) -> Int? {
        var connection = Downstream(.connection(.clear(socket)), address: address)
        connection.listener = Int32(truncatingIfNeeded: listener)
        guard let place = slab.insert(connection) else {
            socket.close()
            shared.connectionClosed(worker: index)
            return nil
        }
        shared.shares[index].counters.add(.connections)
        do {
            try loop.add(socket.descriptor, token: token(place).rawValue)
        } catch {
            socket.close()
            release(place)
            countOut()
            return nil
        }
        return place
    }

    /// Takes in a stream; nil: there are as many as there may be.
    func enter(stream: Downstream) -> Int? {
        guard openStreams < streamLimit, let place = slab.insert(stream) else { return nil }
        openStreams += 1
        return place
    }

    // MARK: The end

    /// Gives back what a connection held here; its descriptor is another's by now, or closed.
    func release(_ place: Int) {
        buffers.release(&self[place].input)
        buffers.release(&self[place].output)
        buffers.release(&self[place].backlog)
        deadlines.cancel(client: place)
        slab.remove(place)
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
