internal import Backends
internal import Exchanges
internal import Reactor

/// Deadlines: each connection has one, by what it waits for at the time.
extension Worker {
    /// How long the process of an exchange with a route is waited for.
    func timeouts(_ exchange: Int) -> RouteTimeouts {
        routes.plans[Int(exchanges[exchange].route)].timeouts
    }

    func setDownstreamDeadline(_ place: Int, after span: Interval) {
        let deadline = now &+ span.nanoseconds
        downstreams[place].deadline = deadline
        deadlines.schedule(client: place, at: deadline)
    }

    /// For a client that does not read; in a tunnel its own timeout covers both ways.
    func setWritingDeadline(_ place: Int) {
        if downstreams[place].phase == .exchange,
            exchanges[Int(downstreams[place].exchange)].responsePhase == .tunnel
        {
            return
        }
        downstreams[place].unsent = -1
        downstreams[place].stalls = 0
        setDownstreamDeadline(place, after: settings.timeouts.bodyIdle)
    }

    /// Whether a client that was written to takes bytes, as seen by what the kernel holds for it.
    ///
    /// Room for more is told only when a good part of the socket's buffer is free, which takes a
    /// slow reader minutes; and a TCP window opens in bursts, so one look in vain is forgiven.
    func isTaking(_ place: Int) -> Bool {
        guard case .connection(let transport) = downstreams[place].carrier,
            let unsent = transport.socket.unsent
        else { return false }
        let before = downstreams[place].unsent
        downstreams[place].unsent = unsent
        let seconds = Int(settings.timeouts.bodyIdle.nanoseconds / 1_000_000_000)
        if before < 0 || before - unsent >= max(1, settings.limits.minRate * seconds) {
            downstreams[place].stalls = 0
            return true
        }
        downstreams[place].stalls += 1
        return downstreams[place].stalls < 2
    }

    /// No deadline: the connection waits for its process, which has one of its own.
    func clearDownstreamDeadline(_ place: Int) { downstreams[place].deadline = Int64.max }

    /// A head has begun: it has its time, and must not trickle.
    func beginHead(_ place: Int) {
        downstreams[place].headScan = 0
        setDownstreamDeadline(place, after: settings.timeouts.header)
        downstreams[place].headDeadline = downstreams[place].deadline
        downstreams[place].floor.stop()
        downstreams[place].floor.startIfStopped(
            now: now, grace: headGrace, bytesPerSecond: settings.limits.minRate)
        limitHead(place)
    }

    /// More of a head has come.
    func noteHead(_ place: Int, _ count: Int) {
        downstreams[place].floor.received(
            count, now: now, grace: headGrace, bytesPerSecond: settings.limits.minRate)
        limitHead(place)
    }

    /// How long a head may take before its rate counts.
    private var headGrace: Int64 { min(settings.timeouts.header.nanoseconds, 10_000_000_000) }

    private func limitHead(_ place: Int) {
        let deadline = min(downstreams[place].headDeadline, downstreams[place].floor.deadline)
        downstreams[place].deadline = deadline
        deadlines.schedule(client: place, at: deadline)
    }

    /// Bytes of a body have come.
    func noteProgress(_ place: Int, _ count: Int) {
        downstreams[place].floor.received(
            count, now: now, grace: settings.timeouts.bodyIdle.nanoseconds,
            bytesPerSecond: settings.limits.minRate)
    }

    /// For the next piece of a body: it must come, and must not trickle.
    func setBodyDeadline(_ place: Int) {
        let grace = settings.timeouts.bodyIdle.nanoseconds
        downstreams[place].floor.startIfStopped(
            now: now, grace: grace, bytesPerSecond: settings.limits.minRate)
        downstreams[place].deadline = min(now &+ grace, downstreams[place].floor.deadline)
        deadlines.schedule(client: place, at: downstreams[place].deadline)
    }

    /// No deadline: the process waits for the client, who has one.
    func clearUpstreamDeadline(_ place: Int) {
        upstreams[place].deadline = Int64.max
        exchanges[Int(upstreams[place].exchange)].machine.clock.pause(now: now)
    }

    func setUpstreamDeadline(_ place: Int, after span: Interval) {
        let exchange = Int(upstreams[place].exchange)
        upstreams.setDeadline(place, after: span, atMost: requestEnd(exchange))
    }

    /// When a request has had its time, as things stand; monotonic ns.
    @inline(__always)
    func requestEnd(_ exchange: Int) -> Int64 {
        exchanges[exchange].machine.clock.limit(.max)
    }

    /// An entry of the wheel came up: too late, or only a reminder that is put back.
    func clientTimerFired(_ place: Int) {
        guard downstreams.isTaken(place) else { return }
        let deadline = downstreams[place].deadline
        if deadline > now {
            if deadline != Int64.max { deadlines.schedule(client: place, at: deadline) }
        } else {
            downstreams[place].deadline = Int64.max
            downstreamTimedOut(place)
        }
    }

    /// The same for a connection to a process.
    func processTimerFired(_ place: Int) {
        guard upstreams.isTaken(place) else { return }
        let deadline = upstreams[place].deadline
        if deadline > now {
            if deadline != Int64.max { deadlines.schedule(process: place, at: deadline) }
        } else {
            upstreams[place].deadline = Int64.max
            upstreamTimedOut(place)
        }
    }

    private func downstreamTimedOut(_ place: Int) {
        switch downstreams[place].phase {
        case .greeting, .handshaking, .idle, .lingering:
            closeDownstream(place)
        case .multiplexed:
            multiplexerTimedOut(place)
        case .receivingHead:
            rejectHead(place, Self.headTooSlow)
        case .exchange:
            clientTimedOut(Int(downstreams[place].exchange))
        }
    }

    private func clientTimedOut(_ exchange: Int) {
        let place = Int(exchanges[exchange].downstream)
        switch exchanges[exchange].machine.clientTimedOut() {
        case .showWaitingPage: showWaitingPage(exchange)
        case .invite: invite(exchange)
        case .answer(let problem): answer(exchange, to: problem)
        case .checkReading where isTaking(place):
            setDownstreamDeadline(place, after: settings.timeouts.bodyIdle)
        // The client does not read what it asked for.
        case .checkReading, .abandon: abandonDownstream(place)
        }
    }

    private func upstreamTimedOut(_ place: Int) {
        switch upstreams[place].phase {
        case .postponed:
            retryConnect(place)
        case .idle:
            upstreams.close(place)
        case .abandoned:
            upstreams.abandonedTimedOut(place)
        case .connecting, .handshaking:
            upstreamConnectTimedOut(place)
        case .busy:
            processTimedOut(Int(upstreams[place].exchange))
        }
    }

    private func processTimedOut(_ exchange: Int) {
        let group = groups[Int(exchanges[exchange].group)]
        let process = exchanges[exchange].machine.grant?.process
        switch exchanges[exchange].machine.processTimedOut(now: now) {
        case .answer(let problem):
            endUpstream(exchange, .failed, isLate: true)
            answer(exchange, to: problem)
            return
        case .cutShort: return responseBroken(exchange, isLate: true)
        case .endTunnel: return tunnelTimedOut(exchange)
        case .answerAndReplace(let problem):
            endUpstream(exchange, .failed)
            answer(exchange, to: problem)
        case .cutShortAndReplace: responseBroken(exchange)
        }
        // The client is answered, and only the process that hangs is replaced.
        if let process { group.recycle(process, reason: .requestTimeout, now: instant) }
    }
}
