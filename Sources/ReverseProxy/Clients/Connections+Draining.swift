internal import Backends
internal import Exchanges
internal import Reactor

/// The end of the program: connections are moved or ended, and what is waited for is counted.
extension Connections {
    /// Moves or closes idle connections; those under way end after their response.
    func beginDraining() {
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            drainDownstream(place)
        }
    }

    private func drainDownstream(_ place: Int) {
        switch downstreams[place].phase {
        case .greeting, .handshaking, .idle:
            if drain.successor == nil { return clientEnds.close(place) }
            if handover.moveOn(place) { return }
            // A request may be on its way on it, and nobody is to lose one.
            downstreams[place].keepAlive = false
            downstreams.setDeadline(place, after: Handover.lastRequest)
        case .multiplexed:
            frames.finish(place)
        case .exchange:
            if handover.moveOn(place) { return }
            // A client that was promised to be kept is, for as long as an idle one.
            let isPromised =
                exchanges[Int(downstreams[place].exchange)].responsePhase != .awaitingHead
            if handover.isMovable(place) || drain.successor != nil && isPromised { return }
            downstreams[place].keepAlive = false
            if drain.endsEndless { dispatcher.endEndless(place) }
        case .receivingHead:
            if handover.moveOn(place) { return }
            if !handover.isMovable(place) { downstreams[place].keepAlive = false }
        case .lingering:
            return
        }
    }

    /// Closes every connection, whatever it is at.
    func closeAll() {
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            dispatcher.sayGoodbye(place)
        }
        frames.flushAll()
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            clientEnds.abandon(place)
        }
    }

    /// Counts what the end of the program waits for.
    func countWaiting() -> WaitingCounts {
        var counts = WaitingCounts()
        for place in downstreams.takenPlaces() {
            switch downstreams[place].phase {
            case .exchange:
                counts[kind(Int(downstreams[place].exchange))] += 1
            case .multiplexed:
                if downstreams.multiplexers[place]?.places.isEmpty ?? true {
                    counts[.connection] += 1
                }
            case .greeting, .handshaking, .idle, .receivingHead, .lingering:
                counts[.connection] += 1
            }
        }
        return counts
    }

    private func kind(_ exchange: Int) -> WaitingCounts.Kind {
        switch exchanges[exchange].machine.response {
        case .tunnel(let tunnel): tunnel.isWebSocket ? .webSocket : .tunnel
        case .streaming(let streaming): streaming.isEventStream ? .eventStream : .response
        case .received: .reader
        case .awaitingHead:
            switch exchanges[exchange].requestPhase {
            case .buffering: .upload
            case .queued: .queued
            case .parsed, .connecting, .sending, .done: .request
            }
        }
    }
}
