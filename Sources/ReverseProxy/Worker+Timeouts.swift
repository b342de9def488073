internal import Backends
internal import Exchanges
internal import Reactor
internal import Settings

/// Deadlines: each connection has one, by what it waits for at the time.
extension Worker {
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
        case .checkReading where downstreams.isTaking(place):
            downstreams.setDeadline(place, after: settings.timeouts.bodyIdle)
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
