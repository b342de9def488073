internal import Backends
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity

/// One loop of the data plane: it takes what happens to the owners of the loop's state, and carries out
/// what follows.
///
/// Belongs to one thread; others reach it through its mailbox only. Connections have owners, none of which
/// calls back: `Acceptor`, `Downstreams` and `Upstreams`; so have `Buffers`, `Deadlines`, `LoopCounters`, the
/// `AccessLog` and the `Agenda` of what is put off. What is decided about an exchange its machine says; the
/// worker's extensions are the flow between them, by concern.
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
    var counters: LoopCounters

    let downstreams: Downstreams
    let upstreams: Upstreams
    var exchanges: Slab<Exchange>
    let deadlines: Deadlines
    let buffers: Buffers

    /// The heads parsed last; used up before the next is parsed.
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    var entropy = Entropy()
    var identifiers: IdentifierSource
    var log: AccessLog
    var wallClock = WallClock()

    let acceptor: Acceptor

    /// Slots that the registry has granted to this loop's exchanges and has not got back.
    var slotsHeld = 0
    /// Turns since the invariants were last checked.
    var turnsUnchecked = 0

    let drain = DrainState()
    let agenda = Agenda()
    var isStopped = false
    /// The exchange whose head is in `requestHead` at the moment; -1: none.
    var parsedExchange = -1
    /// Requests that wait for another of their connection to begin the session that they share: by
    /// the place of the one that leads.
    var followers: [Int: Followers] = [:]
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
        acceptor = Acceptor(loop: loop, shared: shared)
        counters = LoopCounters(shared.shares[index], groups: shared.groups.count)
        let clients = 2 * settings.limits.connections
        let processes = clients + 4096
        exchanges = Slab(capacity: clients)
        deadlines = Deadlines(clients: clients, processes: processes, now: loop.now)
        buffers = Buffers(settings, shares: shared.shares, index: index)
        downstreams = Downstreams(
            capacity: clients, index: index, loop: loop, deadlines: deadlines, buffers: buffers,
            agenda: agenda, drain: drain, shared: shared)
        upstreams = Upstreams(
            capacity: processes, loop: loop, deadlines: deadlines, buffers: buffers, shared: shared)
        log = AccessLog(
            writer: shared.accessLog, format: settings.accessLog.format,
            groupNames: settings.groupNames)
    }

    /// Runs until stopped; the thread's body.
    func run() {
        acceptor.watchAll()
        wallClock.refresh(turn: now)
        while !isStopped {
            loop.turn(until: nextDeadline, first: dropEnded) { token, readiness in
                dispatch(token, readiness)
            }
            acceptPending()
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
        if acceptor.isBusy || agenda.isBusy { return 0 }
        var earliest = deadlines.next ?? Int64.max
        earliest = min(earliest, acceptor.retryAt, drain.deadline, log.flushAt, buffers.trimAt)
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
        for token in agenda.takePostponed() { dispatch(token.rawValue, []) }
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
            acceptor.noteReady(token.place)
        case .wake:
            break
        }
    }

    /// Goes on with a client's connection once the others have had their turn.
    func postpone(client place: Int) { agenda.postpone(downstreams.token(place)) }

    /// Goes on with a connection to a process once the others have had their turn.
    func postpone(process place: Int) { agenda.postpone(upstreams.token(place)) }

    private func deliverMessages() {
        mailbox.drain(into: &messages)
        for message in messages {
            switch message {
            case .accepted(let socket, let address, let listener):
                adopt(socket, address, from: listener)
            case .acceptAgain: acceptor.resume()
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
        if now >= acceptor.retryAt { acceptor.resume() }
        if now >= drain.deadline { closeEverything() }
        deadlines.fire(now: now) { owner in
            switch owner {
            case .client(let index): clientTimerFired(index)
            case .process(let index): processTimerFired(index)
            }
        }
    }
}
