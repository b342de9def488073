internal import Backends
internal import Exchanges
internal import Glibc
internal import Reactor
internal import Settings

/// What becomes of an exchange with its connection to a process.
extension Worker {
    /// Finds a connection to the process that the exchange has a slot on, and sends the request.
    func openUpstream(_ exchange: Int, fresh: Bool) {
        guard let grant = exchanges[exchange].machine.grant else {
            preconditionFailure("an exchange without a slot has no process to connect to")
        }
        let group = Int(exchanges[exchange].group)
        guard upstreams.know(grant.process, group: group) else {
            // It went away between the grant and now.
            connectFailed(exchange, .refused)
            return
        }
        if !fresh,
            let place = upstreams.takeKept(
                to: grant.process, group: group, for: exchange,
                of: Int(exchanges[exchange].downstream),
                isReplayable: exchanges[exchange].machine.isReplayable)
        {
            exchanges[exchange].move(source: .init(process: place))
            sendRequest(exchange)
            return
        }
        let attempt = connectAttempt(exchange)
        goOn(exchange, upstreams.connect(to: grant.process, group: group, attempt))
    }

    private func connectAttempt(_ exchange: Int) -> ConnectAttempt {
        ConnectAttempt(exchange: exchange, latest: exchanges.requestEnd(exchange))
    }

    /// Does what a connection's step allows: the request is sent, or something else is tried.
    private func goOn(_ exchange: Int, _ step: ConnectStep) {
        switch step {
        case .ready(let place):
            setSource(exchange, place)
            sendRequest(exchange)
        case .pending(let place):
            setSource(exchange, place)
        case .failed(let failure):
            if exchanges[exchange].source.connection != nil {
                exchanges[exchange].move(source: .undecided)
            }
            if failure == .backlogFull, postpone(exchange) { return }
            connectFailed(exchange, failure)
        }
    }

    /// The connection may be another than before: to another address of the process.
    private func setSource(_ exchange: Int, _ place: Int) {
        if let before = exchanges[exchange].source.connection {
            if before == place { return }
            exchanges[exchange].move(source: .undecided)
        }
        exchanges[exchange].move(source: .init(process: place))
    }

    /// The process is tried again in a moment, as its backlog is full; false: it has been for too long.
    private func postpone(_ exchange: Int) -> Bool {
        let patience = settings.timeouts.connect
        guard let grant = exchanges[exchange].machine.grant,
            let pause = exchanges[exchange].machine.backlogFull(patience: patience, now: now),
            let place = upstreams.postpone(
                to: grant.process, group: Int(exchanges[exchange].group), after: pause,
                connectAttempt(exchange))
        else { return false }
        exchanges[exchange].move(source: .init(process: place))
        return true
    }

    /// The pause is over.
    func retryConnect(_ place: Int) {
        let exchange = Int(upstreams[place].exchange)
        exchanges[exchange].move(source: .undecided)
        upstreams.close(place)
        if exchanges[exchange].machine.triesAgain(now: now) {
            openUpstream(exchange, fresh: true)
        } else {
            connectFailed(exchange, .backlogFull)
        }
    }

    func upstreamConnectTimedOut(_ place: Int) {
        let exchange = Int(upstreams[place].exchange)
        goOn(exchange, upstreams.connectFailed(place, ETIMEDOUT, connectAttempt(exchange)))
    }

    /// Looks, before anything else of the turn, at the idle connections that have had an event: the turn's
    /// requests are not to be sent on them.
    func dropEnded(_ token: UInt64, _ readiness: Readiness) {
        let token = EventToken(rawValue: token)
        guard token.kind == .upstream, upstreams.holds(token.place, serial: token.serial),
            upstreams[token.place].phase == .idle
        else { return }
        upstreamEvent(token.place, readiness)
    }

    func upstreamEvent(_ place: Int, _ readiness: Readiness) {
        if readiness.isReadable { upstreams[place].isReadable = true }
        if readiness.isPeerClosed || readiness.isBroken {
            upstreams[place].peerClosed = true
            upstreams[place].isReadable = true
        }
        switch upstreams[place].phase {
        case .postponed:
            break
        case .idle:
            if !readiness.isEmpty { upstreams.idleEnded(place) }
        case .abandoned:
            upstreams.discardLastWords(place)
        case .connecting, .handshaking:
            let exchange = Int(upstreams[place].exchange)
            let attempt = connectAttempt(exchange)
            goOn(exchange, upstreams.continueConnecting(place, readiness, attempt))
        case .busy:
            let exchange = Int(upstreams[place].exchange)
            if exchanges[exchange].responsePhase == .tunnel {
                pumpTunnel(exchange)
                return
            }
            let serial = exchanges.serial(exchange)
            if readiness.isWritable { pumpRequest(exchange) }
            if exchanges.holds(exchange, serial: serial),
                exchanges[exchange].source.connection == place
            {
                pumpResponse(exchange)
            }
        }
    }

    private func connectFailed(_ exchange: Int, _ failure: ConnectFailure) {
        let group = settings.groups[Int(exchanges[exchange].group)]
        releaseSlot(exchange, failure.outcome(isSpawned: group.isSpawned))
        switch exchanges[exchange].machine.connectFailed(
            failure, retries: group.retries, isSpawned: group.isSpawned)
        {
        case .ask:
            counters.add(.retries)
            admit(exchange)
        case .answer(let problem): answer(exchange, to: problem)
        }
    }

    /// The connection broke before the response head was complete.
    func brokenBeforeResponse(_ exchange: Int) {
        let place = exchanges.upstream(of: exchange)
        let connection = ExchangeMachine.BrokenConnection(
            sentAny: upstreams[place].sentAny, isReused: upstreams[place].reused,
            hasSpoken: !upstreams[place].input.isEmpty)
        switch exchanges[exchange].machine.broke(
            connection, retries: settings.groups[Int(exchanges[exchange].group)].retries,
            isAlive: isAlive(upstreams[place]))
        {
        case .reconnect:
            counters.add(.retries)
            exchanges[exchange].move(source: .undecided)
            upstreams.close(place)
            openUpstream(exchange, fresh: true)
        case .answer(let problem):
            endUpstream(exchange, .failed)
            answer(exchange, to: problem)
        }
    }

    /// As far as the registry knows.
    private func isAlive(_ upstream: borrowing Upstream) -> Bool {
        groups[Int(upstream.group)].address(of: upstream.process) != nil
    }

    /// Ends the process's part in an exchange and its connection with it.
    ///
    /// - Parameter isLate: The process is given up, but may well be at work on the request.
    func endUpstream(_ exchange: Int, _ outcome: ExchangeOutcome, isLate: Bool = false) {
        if let place = exchanges[exchange].source.connection {
            exchanges[exchange].move(source: .finished)
            if isLate || outcome == .abandoned, isAtWork(exchange, place) {
                return leaveBehind(exchange, place, outcome)
            }
            upstreams.close(place)
        }
        releaseSlot(exchange, outcome)
    }

    /// The whole response is here: the slot is free, and the connection too if it is still good.
    func finishUpstream(_ exchange: Int) {
        let place = exchanges.upstream(of: exchange)
        exchanges[exchange].move(source: .finished)
        let group = Int(exchanges[exchange].group)
        let mayKeep =
            settings.groups[group].keepalive && !upstreams[place].peerClosed
            && upstreams[place].output.isEmpty
        switch exchanges[exchange].machine.responseEnded(
            isSilent: upstreams[place].input.isEmpty, mayKeep: mayKeep)
        {
        case .keep:
            if exchanges[exchange].signsInConnection || upstreams[place].owner >= 0 {
                keepForClient(place, after: exchange)
            } else {
                upstreams.pool(
                    place, keptFor: exchanges[exchange].upstreamKeptFor,
                    awaitsSilence: exchanges[exchange].awaitsSilence)
            }
        case .distrust:
            upstreams.distrust(upstreams[place].process, group: group)
            upstreams.close(place)
        case .close: upstreams.close(place)
        }
        releaseSlot(exchange, .served)
    }
}
