internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// One loop's exchanges: requests with their responses, and the bytes that go with them.
///
/// Belongs to the loop's thread. It reads and writes heads and bodies in the connections' blocks, and
/// remembers what came of them; it calls nobody back, and moves nothing in or out of a socket. Extensions:
/// routing, sessions, identifiers, heads, bodies, own answers, the clock, the log.
final class ExchangeTable {
    private(set) var slab: Slab<Exchange>
    var heads = ParsedHeads()
    var entropy = Entropy()
    var identifiers: IdentifierSource
    var log: AccessLog
    var wallClock = WallClock()
    let plan: Plan
    let counters: LoopCounters
    let downstreams: Downstreams
    let upstreams: Upstreams
    let buffers: Buffers
    private let loop: EventLoop
    let mishaps: Mishaps

    init(
        capacity: Int, log: consuming AccessLog, plan: Plan, counters: LoopCounters,
        downstreams: Downstreams, upstreams: Upstreams, buffers: Buffers, loop: EventLoop,
        mishaps: Mishaps
    ) {
        slab = Slab(capacity: capacity)
        identifiers = IdentifierSource(seed: entropy.word())
        self.log = log
        self.plan = plan
        self.counters = counters
        self.downstreams = downstreams
        self.upstreams = upstreams
        self.buffers = buffers
        self.loop = loop
        self.mishaps = mishaps
    }

    var now: Int64 { loop.now }
    var instant: MonotonicInstant { MonotonicInstant(nanoseconds: loop.now) }

    // MARK: The slab

    /// An exchange, changed where it lies.
    subscript(place: Int) -> Exchange {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(slab.pointer(to: place)) }
        @inline(__always) unsafeMutableAddress { unsafe slab.pointer(to: place) }
    }

    func isTaken(_ place: Int) -> Bool { slab.isTaken(place) }

    func holds(_ place: Int, serial: UInt32) -> Bool { slab.holds(place, serial: serial) }

    func serial(_ place: Int) -> UInt32 { slab.serial(place) }

    func takenPlaces() -> [Int] { slab.takenPlaces() }

    /// Begins an exchange of a client's connection; nil: there are as many as there may be.
    func begin(on client: Int) -> Int? {
        guard let exchange = slab.insert(Exchange(downstream: client, startedAt: now)) else {
            return nil
        }
        counters.add(.requestsActive)
        return exchange
    }

    /// Takes an exchange out, with what is kept of its body; its connection to a process has gone before.
    func remove(_ exchange: Int) {
        buffers.release(&self[exchange].stored)
        slab.remove(exchange)
    }

    /// The connection to the process of an exchange that has one.
    @inline(__always)
    func upstream(of exchange: Int) -> Int {
        guard let index = self[exchange].source.connection else {
            preconditionFailure("this is asked while a process answers")
        }
        return index
    }

    // MARK: Counting

    /// Counts a request that is over; a tunnel's is with its 101.
    func countRequest(_ exchange: Int) {
        countVerdict(exchange)
        let group = Int(self[exchange].group)
        counters.countRequest(
            status: self[exchange].status,
            nanoseconds: now &- self[exchange].startedAt, group: group)
        // It was refused, or its client did not wait for its turn.
        if group >= 0, self[exchange].askedAt != 0 { countWait(exchange) }
    }

    /// The wait for a slot is over.
    func countWait(_ exchange: Int) {
        counters.countWait(
            nanoseconds: now &- self[exchange].askedAt,
            group: Int(self[exchange].group))
        self[exchange].askedAt = 0
    }
}
