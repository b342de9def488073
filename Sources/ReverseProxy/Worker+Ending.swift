internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// The end of the program: what would never end by itself is ended, what is waited for is counted.
extension Worker {
    /// Ends an exchange that has no end of its own; its client comes again by itself.
    func endEndless(_ exchange: Int) {
        switch exchanges[exchange].machine.shutDown(now: now) {
        case .nothing: break
        // What is there is passed on, and the stream ends after that.
        case .passRest: pumpResponse(exchange)
        case .closeTunnel:
            setTunnelDeadline(exchange, after: Tunnel.closingHandshake)
            pumpTunnel(exchange)
        }
    }

    /// Ends an event stream when the program ends, once all that has come is on its way.
    func nothingCame(_ exchange: Int) {
        guard drain.endsEndless, exchanges[exchange].machine.isEventStream else { return }
        let downstream = Int(exchanges[exchange].downstream)
        if exchanges[exchange].machine.framing.isChunked {
            buffers.equip(&downstreams[downstream].output)
            var sink = unsafe ByteSink(downstreams[downstream].output.writable)
            sink.append(BodyFrame.lastChunk)
            downstreams[downstream].output.commit(sink.count)
        }
        endUpstream(exchange, .abandoned)
        exchanges[exchange].machine.eventStreamEnded()
        finishAnswer(exchange)
    }

    /// Writes a close frame into the output, which is empty.
    func sendClose(to downstream: Int) {
        buffers.equip(&downstreams[downstream].output)
        let frame = WebSocketFrames.goingAway
        _ = downstreams[downstream].output.append(frame.span)
    }

    /// At the last moment: a WebSocket's client is told, if it takes a few bytes now.
    func sayGoodbye(_ place: Int) {
        guard downstreams[place].phase == .exchange, downstreams[place].output.isEmpty else {
            return
        }
        let exchange = Int(downstreams[place].exchange)
        guard exchanges[exchange].responsePhase == .tunnel,
            exchanges[exchange].machine.tunnel.sendsClose(now: now, isLast: true)
        else { return }
        sendClose(to: place)
        _ = downstreams.flush(place)
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
