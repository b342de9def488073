internal import Backends
internal import Reactor
internal import Settings

/// One loop of the data plane: it takes turns, and dispatches the events of each.
///
/// Belongs to one thread; others reach it through its mailbox only. State has owners (`Owners`),
/// work on exchanges has duties (`Duties`). `Dispatcher` handles the events of requests and
/// processes, `Connections` the clients' others. None of them makes callbacks.
final class Worker {
    let owners: Owners
    let acceptor: Acceptor
    private let mailbox: Mailbox<WorkerMessage>
    private let connections: Connections
    private let dispatcher: Dispatcher
    private let abandoned: AbandonedRequests
    private var invariants: LoopInvariants
    private var isStopped = false
    private var messages: [WorkerMessage] = []

    private var now: Int64 { owners.loop.now }

    init(index: Int, shared: SharedState, loop: EventLoop) {
        owners = Owners(index: index, shared: shared, loop: loop)
        acceptor = Acceptor(loop: loop, shared: shared)
        mailbox = shared.shares[index].mailbox
        let duties = Duties(owners)
        dispatcher = Dispatcher(owners, duties)
        abandoned = duties.abandoned
        connections = Connections(owners, duties, dispatcher: dispatcher)
        invariants = LoopInvariants(owners, slots: duties.slots)
    }

    /// Runs until stopped; the thread's body.
    func run() {
        acceptor.watchAll()
        owners.exchanges.wallClock.refresh(turn: now)
        while !isStopped { takeTurn(until: nextDeadline) }
        owners.exchanges.log.flush()
        owners.shared.loopEnded(owners.index)
    }

    /// Waits for events, and does what is due.
    ///
    /// - Parameter deadline: the latest end of the wait, in monotonic ns; nil: none.
    func takeTurn(until deadline: Int64?) {
        owners.loop.turn(until: deadline, first: dropEnded) { token, readiness in
            dispatch(EventToken(rawValue: token), readiness)
        }
        acceptPending()
        if owners.agenda.hasPostponed { resumePostponed() }
        if owners.agenda.hasHandshakes { connections.continueHandshakes() }
        if !mailbox.isEmpty { deliverMessages() }
        fireTimers()
        if owners.agenda.hasReleased { dispatcher.askForReleased() }
        connections.serveWaiting()
        if owners.agenda.hasUnsent { connections.sendFrames() }
        owners.exchanges.log.flushIfDue(now: now)
        settleMemory()
        if owners.exchanges.wallClock.jump != 0 { logClockJump() }
        invariants.check()
    }

    private var nextDeadline: Int64? {
        if acceptor.isBusy || owners.agenda.isBusy { return 0 }
        var earliest = owners.deadlines.next ?? Int64.max
        earliest = min(
            earliest, acceptor.retryAt, owners.drain.deadline, owners.exchanges.log.flushAt,
            owners.buffers.trimAt)
        return earliest == Int64.max ? nil : earliest
    }

    // MARK: Events

    /// Continues with busy connections after the others had their turn.
    private func resumePostponed() {
        for token in owners.agenda.takePostponed() { dispatch(token, []) }
    }

    private func dropEnded(_ token: UInt64, _ readiness: Readiness) {
        let token = EventToken(rawValue: token)
        if token.kind == .upstream { dispatcher.dropEnded(token, readiness) }
    }

    private func dispatch(_ token: EventToken, _ readiness: Readiness) {
        switch token.kind {
        case .downstream:
            if owners.downstreams.holds(token.entry, serial: token.serial),
                !dispatcher.clientEvent(token.entry, readiness)
            {
                connections.clientEvent(token.entry, readiness)
            }
        case .upstream:
            if owners.upstreams.holds(token.entry, serial: token.serial) {
                dispatcher.processEvent(token.entry, readiness)
            }
        case .listener: acceptor.noteReady(token.entry)
        case .wake: break
        }
    }

    private func fireTimers() {
        if now >= acceptor.retryAt { acceptor.resume() }
        if now >= owners.drain.deadline { closeEverything() }
        owners.deadlines.fire(now: now) { owner in
            switch owner {
            case .client(let index): connections.timerFired(index)
            case .process(let index): dispatcher.processTimerFired(index)
            }
        }
    }

    // MARK: Messages

    private func deliverMessages() {
        mailbox.drain(into: &messages)
        for message in messages {
            switch message {
            case .accepted(let socket, let address, let listener):
                connections.adopt(socket, address, from: listener)
            case .acceptAgain: acceptor.resume()
            case .granted(let tag, let grant, let group):
                dispatcher.waiterGranted(tag, grant, group: group)
            case .refused(let tag, let refusal): dispatcher.waiterRefused(tag, refusal)
            case .letGo(let process, let group):
                owners.upstreams.letGo(of: process, group: group)
            case .reconfigure(let change):
                owners.reconfigure(change)
                if owners.index == 0 {
                    acceptor.replace(
                        with: change.listeners, isDraining: owners.drain.isDraining)
                }
            case .livenessCheck: owners.shared.shares[owners.index].pulse.answer()
            case .moved(let connection, let listener):
                connections.adopt(connection, from: listener)
            case .drain(let deadline, let purpose): beginDraining(until: deadline, purpose)
            case .count(let tally): tally.add(connections.countWaiting())
            case .stop:
                closeEverything()
                isStopped = true
            }
        }
        // The next batch may come much later, so release what the messages hold.
        messages.removeAll(keepingCapacity: true)
    }

    private func acceptPending() {
        acceptor.acceptPending(limit: owners.plan.settings.limits.connections) {
            socket, address, listener in
            deal(socket, address, from: listener)
        }
    }

    private func deal(_ socket: StreamSocket, _ address: SocketAddress, from listener: Int) {
        let target = owners.shared.leastLoaded()
        owners.shared.connectionOpened(worker: target)
        if target == owners.index {
            connections.adopt(socket, address, from: listener)
        } else {
            owners.shared.shares[target].mailbox.post(.accepted(socket, address, listener))
        }
    }

    /// Stops listening and closes idle connections; busy ones close after their response.
    ///
    /// A successor keeps listening on the same sockets, and receives what can be moved.
    private func beginDraining(until deadline: Int64, _ purpose: DrainPurpose) {
        let drain = owners.drain
        drain.begin(until: deadline, purpose, now: now)
        acceptor.end(leavesThem: drain.successor != nil)
        connections.beginDraining()
        if drain.successor == nil { abandoned.closeAll() }
        if owners.index == 0 { owners.shared.acceptingEnded() }
    }

    /// Closes every connection, whatever its state.
    private func closeEverything() {
        owners.drain.deadlineMet()
        connections.closeAll()
        owners.upstreams.closeAll()
    }

    // MARK: The end of a turn

    /// Sessions and deadlines use the monotonic clock, and cookies of living sessions are valid at
    /// any age; a clock jump only matters to the operator, whose log times jump.
    private func logClockJump() {
        let jump = owners.exchanges.wallClock.jump
        owners.exchanges.wallClock.forgetJump()
        owners.shared.logThrottle.note(
            .clock, now: now,
            "the system's clock was set \(jump > 0 ? "forward" : "back") by"
                + " \(jump.magnitude) s; sessions and timeouts do not go by it")
    }

    /// Publishes this loop's memory usage to the others, and returns idle memory to the system.
    private func settleMemory() {
        guard let budget = owners.buffers.settle(now: now) else { return }
        owners.shared.logThrottle.note(
            .bufferMemory, now: now,
            "the buffers hold \(budget >> 20) MiB, all of limits.buffer_memory; clients that are slow"
                + " to read keep their processes waiting")
    }
}
