internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// The end of an exchange: what is still to be sent, the log, and what becomes of the connection.
extension Worker {
    /// How long what a client still sends is thrown away after the last answer, in all: long enough
    /// for a client in the middle of an upload to look up and read why it ends.
    private static let lingering = Interval.seconds(5)

    /// The client takes bytes again.
    func resumeWriting(_ place: Int) {
        switch downstreams[place].phase {
        case .multiplexed: return flushMultiplexer(place)
        case .handshaking: return
        case .greeting, .idle, .receivingHead, .exchange, .lingering: break
        }
        let outcome = downstreams.flush(place)
        guard downstreams[place].phase == .exchange else {
            if outcome == .broken { abandonDownstream(place) }
            return
        }
        let exchange = Int(downstreams[place].exchange)
        switch exchanges[exchange].machine.clientWritable(outcome) {
        case .complete: completeExchange(exchange)
        case .resume: resumeResponse(exchange)
        case .pumpTunnel: pumpTunnel(exchange)
        case .abandon: abandonDownstream(place)
        case .nothing: break
        }
    }

    /// All of the response is in the client's output; completes once it is sent.
    func finishAnswer(_ exchange: Int) {
        let place = Int(exchanges[exchange].downstream)
        switch downstreams.flush(place) {
        case .done: completeExchange(exchange)
        case .blocked: holdSparingly(place)
        case .broken: abandonDownstream(place)
        }
    }

    private func completeExchange(_ exchange: Int) {
        let place = Int(exchanges[exchange].downstream)
        let bodyIsOpen =
            !exchanges[exchange].requestBody.isEnded || exchanges[exchange].isRejected
        dropExchange(exchange)
        if downstreams[place].carrier.isStream {
            // A stream carries one exchange.
            closeDownstream(place)
            return
        }
        if !downstreams[place].keepAlive || downstreams[place].peerClosed && noneWaits(place) {
            endConnection(place, linger: bodyIsOpen || !downstreams[place].input.isEmpty)
            return
        }
        downstreams[place].input.compact()
        downstreams[place].move(to: .idle)
        if drain.isDraining, moveOn(place) { return }
        if downstreams[place].input.isEmpty {
            buffers.release(&downstreams[place].input)
            downstreams.setDeadline(
                place, after: drain.isDraining ? Self.lastRequest : settings.timeouts.keepalive)
            if downstreams[place].isReadable { agenda.readAgain(place) }
        } else {
            downstreams[place].move(to: .receivingHead)
            downstreams.beginHead(place)
            agenda.readAgain(place)
        }
    }

    /// Whether the client, which has finished sending, has left no request behind.
    private func noneWaits(_ place: Int) -> Bool {
        downstreams[place].input.isEmpty && !downstreams[place].isReadable
    }

    /// Serves what clients had sent ahead, once their exchange is over and the stack is empty.
    func serveWaiting() {
        while let place = agenda.takeReadAgain() {
            guard downstreams.isTaken(place) else { continue }
            switch downstreams[place].phase {
            case .idle, .receivingHead: readRequests(place)
            case .greeting, .handshaking, .multiplexed, .exchange, .lingering: continue
            }
        }
    }

    /// Writes the log and takes the exchange off its connection.
    func dropExchange(_ exchange: Int) {
        let place = Int(exchanges[exchange].downstream)
        exchanges.logExchange(exchange)
        if exchanges[exchange].responsePhase == .tunnel {
            counters.subtract(.tunnels)
        } else {
            exchanges.countRequest(exchange)
        }
        exchanges.remove(exchange)
        downstreams[place].exchange = -1
    }

    /// The client has gone, or is given up: what is held for it is given back.
    func abandonDownstream(_ place: Int) {
        if downstreams[place].phase == .exchange {
            let exchange = Int(downstreams[place].exchange)
            leaveQueue(exchange)
            endUpstream(exchange, .abandoned)
            if exchanges[exchange].status == 0 { exchanges[exchange].status = 499 }
            dropExchange(exchange)
        }
        closeDownstream(place)
    }

    /// Ends a connection after its last answer, without a RST that would destroy it
    /// (RFC 9112 section 9.6).
    func endConnection(_ place: Int, linger: Bool) {
        guard linger, !downstreams[place].peerClosed else {
            closeDownstream(place)
            return
        }
        if downstreams[place].phase == .multiplexed { closeMultiplexer(place) }
        downstreams[place].move(to: .lingering)
        downstreams.shutdownWrite(place)
        downstreams.setDeadline(place, after: Self.lingering)
        discard(place)
    }

    /// Throws away what a client sends after its last answer.
    func discard(_ place: Int) {
        buffers.equip(&downstreams[place].input)
        for _ in 0..<Self.readsPerTurn {
            downstreams[place].input.rewind()
            switch downstreams.read(place) {
            case .moved: continue
            case .wouldBlock:
                buffers.release(&downstreams[place].input)
                return
            case .end, .failed:
                closeDownstream(place)
                return
            }
        }
        buffers.release(&downstreams[place].input)
        // It pours on although it was told to stop; others have their turn first.
        postpone(client: place)
    }

    func closeDownstream(_ place: Int) { endDownstream(place, abortively: false) }

    /// Closes with RST: the client must not take a body without a length for whole.
    func abortDownstream(_ place: Int) { endDownstream(place, abortively: true) }

    private func endDownstream(_ place: Int, abortively: Bool) {
        if downstreams[place].phase == .multiplexed { closeMultiplexer(place) }
        upstreams.closeOwn(of: place)
        downstreams.close(place, abortively: abortively)
    }
}
