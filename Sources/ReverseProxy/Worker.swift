internal import Backends
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings

/// One loop of the data plane: it takes what happens to the owners of the loop's state, and carries out
/// what follows.
///
/// Belongs to one thread; others reach it through its mailbox only. What there is has owners, none of
/// which calls back: `Acceptor`, `Downstreams` and `Upstreams` the connections, `ExchangeTable` the requests
/// and responses, `Buffers`, `Deadlines`, `LoopCounters`, the `AccessLog`, the `Agenda` of what is put off,
/// the `Followers` of a session's first request, the `Plan` that a reload replaces. What is decided about
/// an exchange its machine says; the worker's extensions are the flow between them, by concern.
final class Worker {
    let index: Int
    let shared: SharedState
    let plan: Plan
    let loop: EventLoop
    let mailbox: Mailbox<WorkerMessage>
    let counters: LoopCounters

    let downstreams: Downstreams
    let upstreams: Upstreams
    let exchanges: ExchangeTable
    let deadlines: Deadlines
    let buffers: Buffers

    let acceptor: Acceptor

    /// Slots that the registry has granted to this loop's exchanges and has not got back.
    var slotsHeld = 0
    /// Turns since the invariants were last checked.
    var turnsUnchecked = 0

    let drain = DrainState()
    let agenda = Agenda()
    var isStopped = false
    var followers = Followers()
    private var messages: [WorkerMessage] = []

    /// In place, like the groups: nothing is copied.
    var settings: ProxySettings { _read { yield plan.settings } }
    var groups: [Group] { _read { yield plan.groups } }
    var now: Int64 { loop.now }
    var instant: MonotonicInstant { MonotonicInstant(nanoseconds: loop.now) }

    init(index: Int, shared: SharedState, loop: EventLoop) {
        self.index = index
        self.shared = shared
        self.loop = loop
        let settings = shared.settings
        plan = Plan(settings, groups: shared.groups)
        mailbox = shared.shares[index].mailbox
        acceptor = Acceptor(loop: loop, shared: shared)
        counters = LoopCounters(shared.shares[index], groups: shared.groups.count)
        let clients = 2 * settings.limits.connections
        let processes = clients + 4096
        deadlines = Deadlines(clients: clients, processes: processes, now: loop.now)
        buffers = Buffers(settings, shares: shared.shares, index: index)
        downstreams = Downstreams(
            capacity: clients, index: index, plan: plan, loop: loop, deadlines: deadlines,
            buffers: buffers,
            agenda: agenda, drain: drain, shared: shared)
        upstreams = Upstreams(
            capacity: processes, plan: plan, loop: loop, deadlines: deadlines, buffers: buffers,
            shared: shared)
        let log = AccessLog(
            writer: shared.accessLog, format: settings.accessLog.format,
            groupNames: settings.groupNames)
        exchanges = ExchangeTable(
            capacity: clients, log: log, plan: plan, counters: counters, downstreams: downstreams,
            upstreams: upstreams, buffers: buffers, loop: loop, mishaps: shared.mishaps)
    }

    /// Runs until stopped; the thread's body.
    func run() {
        acceptor.watchAll()
        exchanges.wallClock.refresh(turn: now)
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
            exchanges.log.flushIfDue(now: now)
            settleMemory()
            if exchanges.wallClock.jump != 0 { tellOfClock() }
            checkInvariants()
        }
        exchanges.log.flush()
        shared.loopEnded(index)
    }

    private var nextDeadline: Int64? {
        if acceptor.isBusy || agenda.isBusy { return 0 }
        var earliest = deadlines.next ?? Int64.max
        earliest = min(
            earliest, acceptor.retryAt, drain.deadline, exchanges.log.flushAt, buffers.trimAt)
        return earliest == Int64.max ? nil : earliest
    }

    /// Sessions and deadlines go by the monotonic clock, and cookies of living sessions are good at any
    /// age; what is left is the operator's log, whose times jump.
    private func tellOfClock() {
        let jump = exchanges.wallClock.jump
        exchanges.wallClock.forgetJump()
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
