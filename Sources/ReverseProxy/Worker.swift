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
    /// Replaced as a whole by a reload.
    var settings: ProxySettings
    /// Only ever longer: a group's place is its own for good.
    var groups: [Group]
    var routes: RoutePlans
    /// By the place of the listener.
    var listenerPlans: [ListenerPlan]
    let loop: EventLoop
    let mailbox: Mailbox<WorkerMessage>
    let counters: Counters
    /// By the groups' places.
    var groupTallies: [GroupTally]

    var downstreams: Slab<Downstream>
    var upstreams: Slab<Upstream>
    var exchanges: Slab<Exchange>
    let deadlines: Deadlines
    let buffers: Buffers
    var pools: ProcessPools
    var diagnosis = PeerDiagnosis()

    /// The heads parsed last; used up before the next is parsed.
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    var entropy = Entropy()
    var identifiers: IdentifierSource
    var log: AccessLog
    var wallClock = WallClock()

    /// The first worker's listening sockets, those with connections left over from a turn among them.
    ///
    /// By their place in the settings; nil: not listened on any more.
    var listeners: [ListeningSocket?] = []
    var pendingListeners: [Int] = []
    var acceptRetryAt = Int64.max
    /// Places of listeners that could not be watched, for want of memory.
    var unwatchedListeners: [Int] = []

    /// Slots that the registry has granted to this loop and has not got back.
    var slotsHeld = 0
    /// Turns since the invariants were last checked.
    var turnsUnchecked = 0
    /// Slots of requests whose client has left: by the place of the connection to the process.
    var abandoned: [Int: AbandonedSlot] = [:]

    var isDraining = false
    /// While draining: event streams and WebSockets are ended, for the program ends with its processes.
    var endsEndless = false
    /// While draining: takes the connections that can be moved; nil: they end here.
    var successor: MovedConnection.Taker?
    var drainingSince = Int64.max
    var drainDeadline = Int64.max
    var isStopped = false
    /// The exchange whose head is in `requestHead` at the moment; -1: none.
    var parsedExchange = -1
    /// Connections that have sent a next request ahead, to be served when the stack is empty.
    var readAgain: [Int] = []
    /// Connections whose TLS handshake can go on, and HTTP/2 connections with something to send.
    var handshakes: [EventToken] = []
    var multiplexers: [Int: Multiplexer] = [:]
    var unsentMultiplexers: [Int] = []
    var openStreams = 0
    /// The places that streams may take; the others are for connections.
    let streamLimit: Int
    /// Requests that wait for another of their connection to begin the session that they share: by
    /// the place of the one that leads.
    var followers: [Int: Followers] = [:]
    /// Connections that had more to move than one turn allows them, by event token.
    var postponed: [EventToken] = []
    private var messages: [WorkerMessage] = []

    var now: Int64 { loop.now }
    var instant: MonotonicInstant { MonotonicInstant(nanoseconds: loop.now) }

    init(index: Int, shared: SharedState, loop: EventLoop) {
        self.index = index
        self.shared = shared
        self.loop = loop
        let settings = shared.settings
        self.settings = settings
        identifiers = IdentifierSource(seed: entropy.word())
        groups = shared.groups
        routes = RoutePlans(settings)
        listenerPlans = settings.listeners.map(ListenerPlan.init)
        mailbox = shared.shares[index].mailbox
        counters = shared.shares[index].counters
        groupTallies = shared.shares[index].groupTallies.grow(to: shared.groups.count)
        // A stream of HTTP/2 takes a place like a connection.
        streamLimit = settings.limits.connections
        let clients = 2 * settings.limits.connections
        let processes = clients + 4096
        downstreams = Slab(capacity: clients)
        exchanges = Slab(capacity: clients)
        upstreams = Slab(capacity: processes)
        deadlines = Deadlines(clients: clients, processes: processes, now: loop.now)
        buffers = Buffers(settings, shares: shared.shares, index: index)
        pools = ProcessPools(groups: groups.count)
        log = AccessLog(
            writer: shared.accessLog, format: settings.accessLog.format,
            groupNames: settings.groupNames)
    }

    /// Runs until stopped; the thread's body.
    func run() {
        registerListeners()
        wallClock.refresh(turn: now)
        while !isStopped {
            loop.turn(until: nextDeadline, first: dropEnded) { token, readiness in
                dispatch(token, readiness)
            }
            if !pendingListeners.isEmpty { acceptPending() }
            resumePostponed()
            continueHandshakes()
            deliverMessages()
            fireTimers()
            serveWaiting()
            flushMultiplexers()
            log.flushIfDue(now: now)
            settleMemory()
            if wallClock.jump != 0 { tellOfClock() }
            checkInvariants()
        }
        log.flush()
        shared.loopEnded(index)
    }

    private var nextDeadline: Int64? {
        let isBusy =
            !pendingListeners.isEmpty || !postponed.isEmpty || !handshakes.isEmpty
            || !unsentMultiplexers.isEmpty
        if isBusy { return 0 }
        var earliest = deadlines.next ?? Int64.max
        earliest = min(earliest, acceptRetryAt, drainDeadline, log.flushAt, buffers.trimAt)
        return earliest == Int64.max ? nil : earliest
    }

    /// Sessions and deadlines go by the monotonic clock, and cookies of living sessions are good at any
    /// age; what is left is the operator's log, whose times jump.
    private func tellOfClock() {
        let jump = wallClock.jump
        wallClock.forgetJump()
        shared.mishaps.note(
            .clock, now: now,
            "the system's clock was set \(jump > 0 ? "forward" : "back") by"
                + " \(jump.magnitude) s; sessions and timeouts do not go by it")
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
            case .accepted(let socket, let address, let listener):
                adopt(socket, address, from: listener)
            case .acceptAgain: resumeAccepting()
            case .granted(let tag, let grant, let group): waiterGranted(tag, grant, group: group)
            case .refused(let tag, let refusal): waiterRefused(tag, refusal)
            case .reconfigure(let change): reconfigure(change)
            case .sign: shared.shares[index].pulse.answer()
            case .moved(let connection, let listener): settle(connection, from: listener)
            case .drain(let deadline, let purpose): beginDraining(until: deadline, purpose)
            case .count(let tally): tally.add(countWaiting())
            case .stop:
                closeEverything()
                isStopped = true
            }
        }
    }

    private func fireTimers() {
        if now >= acceptRetryAt { resumeAccepting() }
        if now >= drainDeadline { closeEverything() }
        deadlines.fire(now: now) { owner in
            switch owner {
            case .client(let index): clientTimerFired(index)
            case .process(let index): processTimerFired(index)
            }
        }
    }
}

/// What others tell a loop.
enum WorkerMessage: Sendable {
    /// A connection, and the place of the listener that it came from.
    case accepted(StreamSocket, SocketAddress, Int)
    /// A connection that another balancer has begun with, and the place of its listener.
    case moved(MovedConnection, Int)
    /// A connection has ended while accepting was held up by the limit.
    case acceptAgain
    case granted(WaiterTag, Grant, group: Int)
    case refused(WaiterTag, Refusal)
    case reconfigure(Reconfiguration)
    /// Show that the loop takes its turns.
    case sign
    /// Move or close what is idle, finish what is under way, at the latest at the given monotonic time.
    case drain(until: Int64, DrainPurpose)
    /// Count what the drain waits for.
    case count(WaitingTally)
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
