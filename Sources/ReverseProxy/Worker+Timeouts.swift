internal import Backends
internal import Reactor

/// Deadlines: each connection has one, by what it waits for at the time.
extension Worker {
    func setDownstreamDeadline(_ place: Int, after span: Interval) {
        let deadline = now &+ span.nanoseconds
        downstreams[place].deadline = deadline
        timers.schedule(place, at: deadline)
    }

    /// No deadline: the connection waits for its process, which has one of its own.
    func clearDownstreamDeadline(_ place: Int) { downstreams[place].deadline = Int64.max }

    func setUpstreamDeadline(_ place: Int, after span: Interval) {
        let deadline = now &+ span.nanoseconds
        upstreams[place].deadline = deadline
        timers.schedule(downstreams.capacity + place, at: deadline)
    }

    /// An entry of the wheel came up: too late, or only a reminder that is put back.
    func timerFired(_ id: Int) {
        if id < downstreams.capacity {
            guard downstreams.isTaken(id) else { return }
            let deadline = downstreams[id].deadline
            if deadline > now {
                if deadline != Int64.max { timers.schedule(id, at: deadline) }
            } else {
                downstreams[id].deadline = Int64.max
                downstreamTimedOut(id)
            }
        } else {
            let place = id - downstreams.capacity
            guard upstreams.isTaken(place) else { return }
            let deadline = upstreams[place].deadline
            if deadline > now {
                if deadline != Int64.max { timers.schedule(id, at: deadline) }
            } else {
                upstreams[place].deadline = Int64.max
                upstreamTimedOut(place)
            }
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
            let exchange = Int(downstreams[place].exchange)
            if exchanges[exchange].requestPhase == .sending,
                exchanges[exchange].responsePhase == .awaitingHead
            {
                // The client stopped in the middle of its body.
                answer(exchange, .requestTimeout)
            } else {
                // The client does not read what it asked for.
                abandonDownstream(place)
            }
        }
    }

    private func upstreamTimedOut(_ place: Int) {
        switch upstreams[place].phase {
        case .idle:
            closeUpstream(place)
        case .connecting, .handshaking:
            upstreamConnectTimedOut(place)
        case .busy:
            let exchange = Int(upstreams[place].exchange)
            if exchanges[exchange].responsePhase == .awaitingHead {
                endUpstream(exchange, .failed)
                answer(exchange, .gatewayTimeout)
            } else {
                responseBroken(exchange)
            }
        }
    }
}
