internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// Passes the events of exchanges to the duties, and follows the steps that they return.
///
/// Belongs to the loop's thread. A duty does its part and calls those below it; what leads back up
/// is a `Step`, which only this type follows. So no duty is re-entered.
final class Dispatcher {
    private let exchanges: ExchangeTable
    private let downstreams: Downstreams
    private let upstreams: Upstreams
    private let intake: Intake
    private let placement: Placement
    private let connector: Connector
    private let requests: RequestPump
    private let responses: ResponsePump
    private let tunnels: TunnelPump
    private let files: FilePump
    private let clientEnds: ClientEnds
    private let overdue: Overdue

    init(_ owners: Owners, _ duties: Duties) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        upstreams = owners.upstreams
        intake = duties.intake
        placement = duties.placement
        connector = duties.connector
        requests = duties.requests
        responses = duties.responses
        tunnels = duties.tunnels
        files = duties.files
        clientEnds = duties.clientEnds
        overdue = duties.overdue
    }

    // MARK: Steps

    /// Follows the steps of an exchange, until it waits or is over.
    ///
    /// - Parameter exchange: used only if a step follows; it may have ended.
    @inline(__always)
    private func follow(_ step: Step, _ exchange: @autoclosure () -> Int) {
        if step != .wait, step != .over { carryOut(step, exchange()) }
    }

    /// Terminates, because the machine limits its attempts.
    private func carryOut(_ first: Step, _ exchange: Int) {
        var step = first
        while true {
            switch step {
            case .wait, .over: return
            case .ask: step = placement.ask(exchange)
            case .reconnect: step = connector.openUpstream(exchange, fresh: true)
            case .passResponse: step = responses.pumpResponse(exchange)
            case .passLater:
                return downstreams.agenda.postpone(
                    upstreams.token(exchanges.upstream(of: exchange)))
            }
        }
    }

    // MARK: Clients

    /// Reads from a client without an exchange, and serves a request if there is one.
    ///
    /// - Returns: whether the client has begun with the HTTP/2 preface.
    func readRequests(_ client: Int) -> Bool {
        switch intake.readRequest(client) {
        case .nothing: return false
        case .preface: return true
        case .began(let step):
            follow(step, Int(downstreams[client].exchange))
            return false
        }
    }

    /// Answers a head that is invalid, or does not arrive.
    func rejectHead(_ client: Int, _ problem: HTTPProblem) { intake.rejectHead(client, problem) }

    /// A client's connection, or stream, has had an event.
    ///
    /// - Returns: whether the event concerns a request. Otherwise the connection is before or after
    ///   its requests, or has begun with the HTTP/2 preface.
    func clientEvent(_ client: Int, _ readiness: Readiness) -> Bool {
        if readiness.isReadable { downstreams[client].isReadable = true }
        if readiness.isPeerClosed {
            downstreams[client].peerClosed = true
            downstreams[client].isReadable = true
        }
        switch downstreams[client].phase {
        case .idle, .receivingHead:
            if !readiness.isBroken { return !readRequests(client) }
            clientEnds.abandon(client)
        case .exchange: exchangeEvent(client, readiness)
        case .greeting, .handshaking, .multiplexed, .lingering: return false
        }
        return true
    }

    private func exchangeEvent(_ client: Int, _ readiness: Readiness) {
        let exchange = Int(downstreams[client].exchange)
        if exchanges[exchange].responsePhase == .tunnel {
            // Also when it has hung up: its last bytes may still be available.
            if readiness.isBroken { downstreams[client].isReadable = true }
            return follow(tunnels.pumpTunnel(exchange), exchange)
        }
        if readiness.isBroken { return clientEnds.abandon(client) }
        if exchanges[exchange].source.transfer != nil {
            if readiness.isWritable || readiness.isEmpty {
                files.clientEvent(exchange, isTurn: readiness.isEmpty)
            }
            return
        }
        if readiness.isWritable, downstreams[client].wantsWrite {
            let step = goOnWriting(client)
            follow(step, exchange)
            guard step == .wait || step == .passLater else { return }
        }
        clientReadable(client)
    }

    /// A client with an exchange has sent bytes, or has finished sending.
    private func clientReadable(_ client: Int) {
        let exchange = Int(downstreams[client].exchange)
        let hasEnded = downstreams[client].peerClosed
        switch exchanges[exchange].machine.clientReadable(hasEnded: hasEnded) {
        case .abandon: clientEnds.abandon(client)
        case .buffer: follow(requests.bufferRequest(exchange), exchange)
        case .send: follow(requests.pumpRequest(exchange), exchange)
        case .nothing: break
        }
    }

    /// A client with an exchange can be written to again.
    func clientWritable(_ client: Int) {
        let exchange = Int(downstreams[client].exchange)
        if exchanges[exchange].source.transfer != nil {
            return files.clientEvent(exchange, isTurn: false)
        }
        follow(goOnWriting(client), exchange)
    }

    private func goOnWriting(_ client: Int) -> Step {
        let outcome = downstreams.flush(client)
        let exchange = Int(downstreams[client].exchange)
        switch exchanges[exchange].machine.clientWritable(outcome) {
        case .complete: clientEnds.complete(exchange)
        case .resume: return responses.resumeResponse(exchange)
        case .pumpTunnel: return tunnels.pumpTunnel(exchange)
        case .abandon: clientEnds.abandon(client)
        case .nothing: return .wait
        }
        return .over
    }

    /// The deadline of a client with an exchange has passed.
    func clientTimedOut(_ client: Int) {
        let exchange = Int(downstreams[client].exchange)
        follow(overdue.clientTimedOut(exchange), exchange)
    }

    /// Ends an exchange that has no end of its own, because the program stops; its client
    /// reconnects.
    func endEndless(_ client: Int) {
        let exchange = Int(downstreams[client].exchange)
        switch exchanges[exchange].machine.shutDown(now: exchanges.now) {
        case .nothing: break
        // What has arrived is forwarded, then the stream ends.
        case .passRest: follow(responses.pumpResponse(exchange), exchange)
        case .closeTunnel: follow(tunnels.endEndless(exchange), exchange)
        }
    }

    /// At the last moment: sends a WebSocket's client a close frame, if the socket accepts it now.
    func sendFinalClose(_ client: Int) {
        if downstreams[client].phase == .exchange {
            tunnels.sendFinalClose(Int(downstreams[client].exchange))
        }
    }

    // MARK: Processes

    /// Checks idle connections that have had an event before anything else of the turn, so that its
    /// requests are not sent on closed ones.
    func dropEnded(_ token: EventToken, _ readiness: Readiness) {
        guard upstreams.holds(token.entry, serial: token.serial),
            upstreams[token.entry].phase == .idle
        else { return }
        processEvent(token.entry, readiness)
    }

    /// A connection to a process has had an event.
    func processEvent(_ entry: Int, _ readiness: Readiness) {
        if readiness.isReadable { upstreams[entry].isReadable = true }
        if readiness.isPeerClosed || readiness.isBroken {
            upstreams[entry].peerClosed = true
            upstreams[entry].isReadable = true
        }
        let exchange = Int(upstreams[entry].exchange)
        guard upstreams[entry].phase == .busy else {
            return follow(connector.event(entry, readiness), exchange)
        }
        if exchanges[exchange].responsePhase != .tunnel, readiness.isWritable {
            let step = requests.pumpRequest(exchange)
            guard step == .wait else { return follow(step, exchange) }
        }
        follow(responses.pumpResponse(exchange), exchange)
    }

    /// A timer fired: the deadline has passed, or the entry is early and is scheduled again.
    func processTimerFired(_ entry: Int) {
        guard upstreams.isTaken(entry) else { return }
        let deadline = upstreams[entry].deadline
        if deadline > upstreams.now {
            if deadline != .max { upstreams.deadlines.schedule(process: entry, at: deadline) }
        } else {
            upstreams[entry].deadline = .max
            processTimedOut(entry)
        }
    }

    private func processTimedOut(_ entry: Int) {
        let exchange = Int(upstreams[entry].exchange)
        if upstreams[entry].phase == .busy {
            overdue.processTimedOut(exchange)
        } else {
            follow(connector.timedOut(entry), exchange)
        }
    }

    // MARK: The registry

    /// A waiter in a queue has got its slot.
    func waiterGranted(_ tag: WaiterTag, _ grant: Grant, group: Int) {
        guard let exchange = placement.exchange(of: tag) else {
            return placement.giveBack(grant, group: group)
        }
        follow(placement.waiterGranted(exchange, grant), exchange)
    }

    /// A waiter in a queue was shed.
    func waiterRefused(_ tag: WaiterTag, _ refusal: Refusal) {
        guard let exchange = placement.exchange(of: tag) else { return }
        follow(placement.waiterRefused(exchange, refusal), exchange)
    }

    /// Exchanges that waited for another one of their connection now ask for themselves.
    func askForReleased() {
        for released in downstreams.agenda.takeReleased()
        where exchanges.holds(released.exchange, serial: released.serial) {
            follow(placement.askAgain(released.exchange), released.exchange)
        }
    }
}
