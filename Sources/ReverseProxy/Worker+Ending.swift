internal import Backends
internal import HTTPWire
internal import Reactor

/// The end of the program: what would never end by itself is ended, what is waited for is counted.
extension Worker {
    /// How long a WebSocket's client has to answer a close frame (RFC 6455 section 7.1.1).
    static let closingHandshake = Interval.seconds(5)

    /// Ends an exchange that has no end of its own; its client comes again by itself.
    func endEndless(_ exchange: Int) {
        if exchanges[exchange].upstream < 0 { return }
        if exchanges[exchange].responsePhase == .tunnel {
            guard exchanges[exchange].tunnel.isWebSocket else { return }
            beginClosing(exchange)
            pumpTunnel(exchange)
        } else if exchanges[exchange].isEventStream {
            // Passes on what is there, and ends it after that.
            pumpResponse(exchange)
        }
    }

    /// Ends an event stream when the program ends, once all that has come is on its way.
    func nothingCame(_ exchange: Int) {
        guard drain.endsEndless, exchanges[exchange].isEventStream,
            exchanges[exchange].responsePhase == .streaming
        else { return }
        let downstream = Int(exchanges[exchange].downstream)
        if exchanges[exchange].responseFraming.isChunked {
            buffers.equip(&downstreams[downstream].output)
            var sink = unsafe ByteSink(downstreams[downstream].output.writable)
            sink.append(BodyFrame.lastChunk)
            downstreams[downstream].output.commit(sink.count)
        }
        endUpstream(exchange, .abandoned)
        exchanges[exchange].move(request: .done)
        exchanges[exchange].move(response: .received)
        finishAnswer(exchange)
    }

    private func beginClosing(_ exchange: Int) {
        guard exchanges[exchange].tunnel.closing == .no else { return }
        exchanges[exchange].tunnel.closing = .wanted
        exchanges[exchange].tunnel.closesBy = now &+ Self.closingHandshake.nanoseconds
        setTunnelDeadline(exchange, after: Self.closingHandshake)
    }

    /// Writes the close frame where the client's bytes allow one; the output is empty.
    ///
    /// The client's answer passes to the process, which so learns that its peer goes away; what the
    /// process still sends is dropped, for nothing may follow a close frame.
    func sendClose(_ exchange: Int, to downstream: Int) {
        guard exchanges[exchange].tunnel.isWebSocket, !exchanges[exchange].tunnel.clientIsTold,
            exchanges[exchange].tunnel.closing != .sent,
            exchanges[exchange].tunnel.isBetweenFramesToClient
        else { return }
        exchanges[exchange].tunnel.closing = .sent
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
        guard exchanges[exchange].responsePhase == .tunnel else { return }
        sendClose(exchange, to: place)
        _ = flush(place)
    }

    /// Counts what the end of the program waits for.
    func countWaiting() -> WaitingCounts {
        var counts = WaitingCounts()
        for place in downstreams.takenPlaces() {
            switch downstreams[place].phase {
            case .exchange:
                counts[kind(Int(downstreams[place].exchange))] += 1
            case .multiplexed:
                if multiplexers[place]?.places.isEmpty ?? true { counts[.connection] += 1 }
            case .greeting, .handshaking, .idle, .receivingHead, .lingering:
                counts[.connection] += 1
            }
        }
        return counts
    }

    private func kind(_ exchange: Int) -> WaitingCounts.Kind {
        switch exchanges[exchange].responsePhase {
        case .tunnel: exchanges[exchange].tunnel.isWebSocket ? .webSocket : .tunnel
        case .streaming: exchanges[exchange].isEventStream ? .eventStream : .response
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
