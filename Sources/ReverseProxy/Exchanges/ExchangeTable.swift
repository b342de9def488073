internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// One loop's exchanges: requests with their responses, and the bytes that belong to them.
///
/// Belongs to the loop's thread. It makes no callbacks, and reads and writes no sockets.
/// Extensions: identifiers, the clock, the log.
final class ExchangeTable {
    private(set) var slab: Slab<Exchange>
    var heads = ParsedHeads()
    var identifiers: IdentifierSource
    var log: AccessLog
    var wallClock = WallClock()
    let plan: Plan
    let counters: LoopCounters
    let downstreams: Downstreams
    let upstreams: Upstreams
    let buffers: Buffers
    private let transfers: FileTransfers
    private let loop: EventLoop

    init(
        capacity: Int, log: consuming AccessLog, plan: Plan, counters: LoopCounters,
        downstreams: Downstreams, upstreams: Upstreams, transfers: FileTransfers, buffers: Buffers,
        loop: EventLoop
    ) {
        slab = Slab(capacity: capacity)
        var entropy = Entropy()
        identifiers = IdentifierSource(seed: entropy.word())
        self.log = log
        self.plan = plan
        self.counters = counters
        self.downstreams = downstreams
        self.upstreams = upstreams
        self.buffers = buffers
        self.transfers = transfers
        self.loop = loop
    }

    var now: Int64 { loop.now }
    var instant: MonotonicInstant { MonotonicInstant(nanoseconds: loop.now) }

    // MARK: The slab

    /// An exchange, modified in place.
    subscript(entry: Int) -> Exchange {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(slab.pointer(to: entry)) }
        @inline(__always) unsafeMutableAddress { unsafe slab.pointer(to: entry) }
    }

    func isTaken(_ entry: Int) -> Bool { slab.isTaken(entry) }

    func holds(_ entry: Int, serial: UInt32) -> Bool { slab.holds(entry, serial: serial) }

    func serial(_ entry: Int) -> UInt32 { slab.serial(entry) }

    func takenEntries() -> [Int] { slab.takenEntries() }

    /// Starts an exchange on a client's connection; nil: the maximum is reached.
    func begin(on client: Int) -> Int? {
        guard let exchange = slab.insert(Exchange(downstream: client, startedAt: now)) else {
            return nil
        }
        counters.add(.requestsActive)
        return exchange
    }

    /// Removes an exchange with its stored body and its file; its connection to a process was
    /// detached before.
    func remove(_ exchange: Int) {
        if let transfer = self[exchange].source.transfer { transfers.end(transfer) }
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

    // MARK: Heads

    /// The origin of the parsed head, as stated by a trusted proxy.
    func origin(of entry: Int, _ bytes: Span<UInt8>) -> RequestOrigin {
        heads.request.origin(
            in: bytes, peer: downstreams[entry].address, isSecure: downstreams[entry].isSecure,
            trusted: plan.listener(downstreams[entry].listener)?.trusted ?? TrustedNetworks())
    }

    /// The fields that listener and route add to a response; nil: none, which is the rule.
    func extraFields(_ exchange: Int, setsCookie: Bool) -> ExtraFields? {
        let entry = Int(self[exchange].downstream)
        let route = Int(self[exchange].route)
        let ofRoute = route >= 0 && plan.routes.plans[route].hasFields
        let ofListener = plan.listenerPlan(downstreams[entry].listener).hasFields
        guard ofRoute || ofListener else { return nil }
        let own = ofRoute ? plan.routes.headers[route] : ExtraFields()
        let others =
            ofListener
            ? plan.listener(downstreams[entry].listener)?.headers ?? ExtraFields() : ExtraFields()
        return own.over(others).suiting(
            isSecure: self[exchange].isSecure, setsCookie: setsCookie)
    }

    // MARK: Counting

    /// Counts a completed request; a tunnel's is counted with its 101.
    func countRequest(_ exchange: Int) {
        countVerdict(exchange)
        let group = Int(self[exchange].group)
        counters.countRequest(
            status: self[exchange].status,
            nanoseconds: now &- self[exchange].startedAt, group: group)
        // It was refused, or its client left before its turn.
        if group >= 0, self[exchange].askedAt != 0 { countWait(exchange) }
    }

    /// The wait for a slot is over.
    func countWait(_ exchange: Int) {
        counters.countWait(
            nanoseconds: now &- self[exchange].askedAt,
            group: Int(self[exchange].group))
        self[exchange].askedAt = 0
    }

    /// The registry has decided about a valid cookie, whose process may be gone.
    func settleVerdict(_ exchange: Int, isLost: Bool) {
        switch self[exchange].verdict {
        case .valid, .expired: if isLost { self[exchange].verdict = .gone }
        case .none, .forged, .unknownKey, .otherGroup, .gone, .malformed: break
        }
        countVerdict(exchange)
    }

    /// Counts the verdict of a request, once.
    func countVerdict(_ exchange: Int) {
        guard self[exchange].owesVerdict else { return }
        self[exchange].owesVerdict = false
        counters.count(self[exchange].verdict)
    }
}
