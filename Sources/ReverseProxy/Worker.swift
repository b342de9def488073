internal import Backends
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity

/// One loop of the data plane: its connections, exchanges, buffers, timers and pools.
///
/// Belongs to one thread; others reach it through its mailbox only. The work is spread over
/// extensions by concern: accepting, request heads, placement, upstream connections, bodies,
/// responses, timeouts, logging.
final class Worker {
    let index: Int
    let shared: SharedState
    let settings: ProxySettings
    let groups: [Group]
    let loop: EventLoop
    let mailbox: Mailbox<WorkerMessage>
    let counters: Counters

    var downstreams: Slab<Downstream>
    var upstreams: Slab<Upstream>
    var exchanges: Slab<Exchange>
    var timers: TimerWheel
    var blocks: BlockPool
    var pools: ProcessPools

    /// The heads parsed last; used up before the next is parsed.
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    let plans: [RoutePlan]
    var codecs: [AffinityCodec]
    /// The `Set-Cookie` field of the response at hand; its storage is kept.
    var setCookieField: [UInt8] = []
    var entropy = Entropy()
    var accessLog: AccessLogBuffer
    var wallClock = WallClock()

    /// The first worker's listening sockets, those with connections left over from a turn among them.
    var listeners: [ListeningSocket] = []
    var pendingListeners: [Int] = []
    var acceptRetryAt = Int64.max

    var isDraining = false
    var drainDeadline = Int64.max
    var isStopped = false
    /// The exchange whose head is in `requestHead` at the moment; -1: none.
    var parsedExchange = -1
    /// Connections that have sent a next request ahead, to be served when the stack is empty.
    var readAgain: [Int] = []
    /// Connections that had more to move than one turn allows them, by event token.
    var postponed: [EventToken] = []
    private var due: [Int32] = []
    private var messages: [WorkerMessage] = []

    var now: Int64 { loop.now }
    var instant: MonotonicInstant { MonotonicInstant(nanoseconds: loop.now) }

    init(index: Int, shared: SharedState, loop: EventLoop) {
        self.index = index
        self.shared = shared
        self.loop = loop
        settings = shared.settings
        groups = shared.groups
        mailbox = shared.shares[index].mailbox
        counters = shared.shares[index].counters
        let connections = settings.limits.connections
        downstreams = Slab(capacity: connections)
        exchanges = Slab(capacity: connections)
        upstreams = Slab(capacity: connections + 4096)
        timers = TimerWheel(ids: connections + connections + 4096, now: loop.now)
        // A head, and room for the fields that are added to it.
        let blockSize = max(16 * 1024, settings.limits.requestHead) + 4096
        blocks = BlockPool(blockSize: blockSize, keep: 256)
        pools = ProcessPools(groups: groups.count)
        codecs = AffinityCodec.make(for: settings)
        plans = RoutePlan.make(for: settings)
        accessLog = AccessLogBuffer(writer: shared.accessLog, format: settings.accessLog.format)
    }

    /// Runs until stopped; the thread's body.
    func run() {
        registerListeners()
        while !isStopped {
            loop.turn(until: nextDeadline) { token, readiness in dispatch(token, readiness) }
            if !pendingListeners.isEmpty { acceptPending() }
            resumePostponed()
            deliverMessages()
            fireTimers()
            serveWaiting()
            accessLog.flushIfDue(now: now)
        }
        accessLog.flush()
        shared.loopEnded()
    }

    private var nextDeadline: Int64? {
        if !pendingListeners.isEmpty || !postponed.isEmpty { return 0 }
        var earliest = timers.nextDeadline ?? Int64.max
        earliest = min(earliest, acceptRetryAt, drainDeadline, accessLog.flushAt)
        return earliest == Int64.max ? nil : earliest
    }

    /// Goes on with what a busy connection had left, after the others have had their turn.
    private func resumePostponed() {
        if postponed.isEmpty { return }
        let tokens = postponed
        postponed.removeAll(keepingCapacity: true)
        for token in tokens { dispatch(token.rawValue, []) }
    }

    private func dispatch(_ token: UInt64, _ readiness: Readiness) {
        let token = EventToken(rawValue: token)
        switch token.kind {
        case .downstream:
            if downstreams.holds(token.place, serial: token.serial) {
                downstreamEvent(token.place, readiness)
            }
        case .upstream:
            if upstreams.holds(token.place, serial: token.serial) {
                upstreamEvent(token.place, readiness)
            }
        case .listener:
            pendingListeners.append(token.place)
        case .wake:
            break
        }
    }

    private func deliverMessages() {
        mailbox.drain(into: &messages)
        for message in messages {
            switch message {
            case .accepted(let socket, let address): adopt(socket, address)
            case .acceptAgain: resumeAccepting()
            case .granted(let tag, let grant, let group): waiterGranted(tag, grant, group: group)
            case .refused(let tag, let refusal): waiterRefused(tag, refusal)
            case .drain(let deadline): beginDraining(until: deadline)
            case .stop:
                closeEverything()
                isStopped = true
            }
        }
    }

    private func fireTimers() {
        if now >= acceptRetryAt { resumeAccepting() }
        if now >= drainDeadline { closeEverything() }
        due.removeAll(keepingCapacity: true)
        timers.advance(to: now, into: &due)
        for id in due { timerFired(Int(id)) }
    }
}

/// What others tell a loop.
enum WorkerMessage: Sendable {
    case accepted(StreamSocket, SocketAddress)
    /// A connection has ended while accepting was held up by the limit.
    case acceptAgain
    case granted(WaiterTag, Grant, group: Int)
    case refused(WaiterTag, Refusal)
    /// Close what is idle, finish what is under way, at the latest at the given monotonic time.
    case drain(until: Int64)
    case stop
}

/// What an event's token says: which slab, which place, which tenant.
struct EventToken {
    enum Kind {
        case downstream, upstream, listener, wake
    }

    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(_ kind: Kind, place: Int, serial: UInt32) {
        let bits: UInt64 =
            switch kind {
            case .downstream: 0
            case .upstream: 1
            case .listener: 2
            case .wake: 3
            }
        rawValue =
            bits << 62 | UInt64(truncatingIfNeeded: place) << 32 & (0x3fff_ffff << 32)
            | UInt64(serial)
    }

    var kind: Kind {
        switch rawValue >> 62 {
        case 0: .downstream
        case 1: .upstream
        case 2: .listener
        default: .wake
        }
    }
    var place: Int { Int(rawValue >> 32 & 0x3fff_ffff) }
    var serial: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
