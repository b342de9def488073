internal import Backends
internal import Exchanges
internal import Reactor

/// Shutdown and take-over: connections are moved or closed, and the remaining ones are counted.
extension Connections {
    /// Moves or closes idle connections; busy ones close after their response.
    func beginDraining() {
        for entry in downstreams.takenEntries() where downstreams.isTaken(entry) {
            drainDownstream(entry)
        }
    }

    private func drainDownstream(_ entry: Int) {
        switch downstreams[entry].phase {
        case .handshaking where drain.successor != nil:
            // Its client is about to send a request. It keeps its deadline: the handshakes of a crowd
            // can take this balancer longer than `lastRequest`.
            downstreams[entry].keepAlive = false
        case .greeting, .handshaking, .idle:
            if drain.successor == nil { return clientEnds.close(entry) }
            if handover.moveOn(entry) { return }
            // A request may be in transit on it, and must not be lost.
            downstreams[entry].keepAlive = false
            downstreams.setDeadline(entry, after: Handover.lastRequest)
        case .multiplexed:
            frames.finish(entry)
        case .exchange:
            if handover.moveOn(entry) { return }
            // A client that was promised keep-alive gets it, for as long as an idle one.
            let isPromised =
                exchanges[Int(downstreams[entry].exchange)].responsePhase != .awaitingHead
            if handover.isMovable(entry) || drain.successor != nil && isPromised { return }
            downstreams[entry].keepAlive = false
            if drain.endsEndless { dispatcher.endEndless(entry) }
        case .receivingHead:
            if handover.moveOn(entry) { return }
            if !handover.isMovable(entry) { downstreams[entry].keepAlive = false }
        case .lingering:
            return
        }
    }

    /// Closes every connection, whatever its state.
    func closeAll() {
        for entry in downstreams.takenEntries() where downstreams.isTaken(entry) {
            dispatcher.sendFinalClose(entry)
        }
        frames.flushAll()
        for entry in downstreams.takenEntries() where downstreams.isTaken(entry) {
            clientEnds.abandon(entry)
        }
    }

    /// Counts what the shutdown waits for.
    func countWaiting() -> WaitingCounts {
        var counts = WaitingCounts()
        for entry in downstreams.takenEntries() {
            switch downstreams[entry].phase {
            case .exchange:
                counts[kind(Int(downstreams[entry].exchange))] += 1
            case .multiplexed:
                if downstreams.multiplexers[entry]?.entries.isEmpty ?? true {
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
