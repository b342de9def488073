internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// From the process to the client: the head with what is added to it, and the body as it comes.
extension Worker {
    /// How many blocks one connection may move before the others have their turn.
    static let readsPerTurn = 16
    /// Room that the end of a response needs, so that it can be written whatever waits.
    private static let endRoom = 16

    /// Moves what there is of the response: as much as both sides take.
    func pumpResponse(_ exchange: Int) {
        var reads = 0
        while let upstream = exchanges[exchange].source.connection {
            if reads == Self.readsPerTurn {
                postpone(process: upstream)
                return
            }
            reads += 1
            switch exchanges[exchange].responsePhase {
            case .awaitingHead:
                if !upstreams[upstream].input.isEmpty {
                    switch exchanges.parseResponse(exchange, upstream) {
                    case .complete:
                        guard startResponse(exchange, upstream) else { return }
                        continue
                    case .rejected:
                        refuseResponse(exchange)
                        return
                    case .incomplete: break
                    }
                }
            case .streaming:
                switch passBody(exchange, upstream) {
                case .ended:
                    endResponse(exchange)
                    return
                case .blocked:
                    // It is the client that keeps the process waiting.
                    exchanges.clearUpstreamDeadline(upstream)
                    holdSparingly(Int(exchanges[exchange].downstream), upstream: upstream)
                    return
                case .starved: break
                case .bad:
                    responseBroken(exchange)
                    return
                case .clientGone:
                    abandonDownstream(Int(exchanges[exchange].downstream))
                    return
                }
            case .tunnel:
                pumpTunnel(exchange)
                return
            case .received: return
            }
            guard receive(exchange, from: upstream) else { return }
        }
    }

    /// Reads once; false: nothing came, or the connection has ended and that was dealt with.
    private func receive(_ exchange: Int, from upstream: Int) -> Bool {
        guard upstreams[upstream].isReadable else {
            nothingCame(exchange)
            return false
        }
        equipForReading(upstream)
        switch upstreams.read(upstream) {
        case .moved:
            if exchanges[exchange].responsePhase == .streaming {
                exchanges.setUpstreamDeadline(upstream, after: exchanges.timeouts(exchange).idle)
            }
            return true
        case .wouldBlock:
            nothingCame(exchange)
            return false
        case .end:
            upstreamEnded(exchange, cleanly: true)
            return false
        case .failed:
            upstreamEnded(exchange, cleanly: false)
            return false
        }
    }

    /// The process has closed: the end of a body without a length, or a break.
    private func upstreamEnded(_ exchange: Int, cleanly: Bool) {
        let isEnd = cleanly && exchanges[exchange].responseBody.endsWithConnection
        switch exchanges[exchange].machine.processClosed(isEnd: isEnd) {
        case .broke: brokenBeforeResponse(exchange)
        case .ended:
            upstreams[exchanges.upstream(of: exchange)].peerClosed = true
            endResponse(exchange)
        case .cutShort: responseBroken(exchange)
        }
    }

    /// What the process says is no response that could be passed on.
    func refuseResponse(_ exchange: Int) {
        exchanges[exchange].status = 0
        endUpstream(exchange, .failed)
        answer(exchange, to: .badResponse)
    }

    /// Renders the parsed head for the client; false: the exchange has ended over it.
    private func startResponse(_ exchange: Int, _ upstream: Int) -> Bool {
        let downstream = Int(exchanges[exchange].downstream)
        upstreams[upstream].headScan = 0
        if exchanges.heads.response.isSwitchingProtocols {
            return beginTunnel(exchange, upstream)
        }
        if exchanges.heads.response.isInformational {
            return passInformational(exchange, upstream, downstream)
        }
        exchanges[exchange].firstByteAt = now
        exchanges[exchange].status = exchanges.heads.response.status
        exchanges[exchange].awaitsSilence = exchanges.heads.response.body.endsWithHead
        exchanges[exchange].upstreamKeptFor = exchanges.heads.response.keepsForSeconds
        if exchanges.heads.response.status == 401 || exchanges.heads.response.status == 407 {
            noteChallenge(exchange, upstream)
        }
        var isEventStream = false
        if exchanges.heads.response.body.isOpenEnded {
            let head = unsafe upstreams[upstream].input.readable
            isEventStream = unsafe exchanges.heads.response.isEventStream(in: head.span)
        }
        let head = exchanges[exchange].machine.finalHead(
            exchanges.heads.response.body, keepsConnection: exchanges.heads.response.keepAlive,
            isEventStream: isEventStream)
        let holdsTrailers =
            exchanges.heads.response.passesTrailers && exchanges[exchange].takesTrailers
            && head.streaming.framing.isChunked
        exchanges[exchange].holdsResponseTrailers = holdsTrailers
        exchanges[exchange].responseBody = upstreams[upstream].codec.body(
            exchanges.heads.response, holdsTrailers: holdsTrailers)
        exchanges.followPinDirective(exchange)
        if head.forgoesBody { downstreams.clearDeadline(downstream) }
        if head.closesClient { downstreams[downstream].keepAlive = false }
        guard exchanges.renderResponse(exchange, upstream, downstream, head.streaming.framing)
        else {
            refuseResponse(exchange)
            return false
        }
        upstreams[upstream].input.consume(exchanges.heads.response.headLength)
        if exchanges[exchange].machine.headPassed(head.streaming) {
            exchanges.dropStoredBody(exchange)
        }
        exchanges.setUpstreamDeadline(upstream, after: exchanges.timeouts(exchange).idle)
        return true
    }

    private func noteChallenge(_ exchange: Int, _ upstream: Int) {
        let readable = unsafe upstreams[upstream].input.readable
        if unsafe exchanges.heads.response.offersConnectionSignIn(readable.span) {
            exchanges[exchange].signsInConnection = true
        }
    }

    /// Passes a 1xx head on, or drops it; false: the exchange has ended over it.
    private func passInformational(
        _ exchange: Int, _ upstream: Int, _ downstream: Int
    ) -> Bool {
        let fate = exchanges[exchange].machine.interimHead(
            status: exchanges.heads.response.status,
            clientIsBehind: downstreams[downstream].wantsWrite)
        if fate != .drop {
            buffers.equip(&downstreams[downstream].output)
            let readable = unsafe upstreams[upstream].input.readable
            var sink = unsafe ByteSink(downstreams[downstream].output.writable)
            unsafe exchanges.heads.response.writeInformational(from: readable.span, into: &sink)
            if !sink.overflowed {
                downstreams[downstream].output.commit(sink.count)
                if downstreams.flush(downstream) == .broken {
                    abandonDownstream(downstream)
                    return false
                }
                if fate == .invite { takeInvitation(exchange) }
            }
        }
        upstreams[upstream].input.consume(exchanges.heads.response.headLength)
        return true
    }

    private enum Pass {
        case ended, blocked, starved, bad, clientGone
    }

    private func passBody(_ exchange: Int, _ upstream: Int) -> Pass {
        let downstream = Int(exchanges[exchange].downstream)
        let chunked = exchanges[exchange].machine.framing.isChunked
        while true {
            if exchanges[exchange].responseBody.isEnded { return .ended }
            if upstreams[upstream].input.isEmpty {
                return flushed(downstream, room: Self.endRoom) ?? .starved
            }
            buffers.equip(&downstreams[downstream].output)
            let wanted = exchanges[exchange].responseBody.roomWanted
            if downstreams[downstream].wantsWrite || downstreams[downstream].output.room < wanted {
                if let stuck = flushed(downstream, room: wanted) { return stuck }
                buffers.equip(&downstreams[downstream].output)
            }
            let room = downstreams[downstream].output.room - BodyFrame.overhead
            let readable = unsafe upstreams[upstream].input.readable
            let event = unsafe exchanges[exchange].responseBody.next(readable.span, limit: room)
            switch event {
            case .data(let consumed, let range):
                var sink = unsafe ByteSink(downstreams[downstream].output.writable)
                let data = unsafe readable.span.extracting(range)
                BodyFrame.write(data, chunked: chunked, into: &sink)
                downstreams[downstream].output.commit(sink.count)
                upstreams[upstream].input.consume(consumed)
                exchanges[exchange].bytesToClient &+= UInt64(range.count)
            case .needMore(let consumed):
                upstreams[upstream].input.consume(consumed)
                return flushed(downstream, room: Self.endRoom) ?? .starved
            case .end(let consumed):
                if chunked {
                    let length =
                        exchanges[exchange].holdsResponseTrailers
                        ? exchanges[exchange].responseBody.trailerLength : 0
                    var sink = unsafe ByteSink(downstreams[downstream].output.writable)
                    unsafe BodyFrame.writeEnd(
                        trailers: readable.span.extracting(consumed - length..<consumed),
                        into: &sink)
                    downstreams[downstream].output.commit(sink.count)
                }
                upstreams[upstream].input.consume(consumed)
                return .ended
            case .bad:
                return .bad
            }
        }
    }

    /// Sends what is ready, or keeps it; nil: there is room for more.
    private func flushed(_ downstream: Int, room: Int) -> Pass? {
        switch downstreams.sendOrStore(downstream, room: room) {
        case .room: nil
        case .full: .blocked
        case .clientGone: .clientGone
        }
    }

    /// Goes on after the client has taken something.
    func resumeResponse(_ exchange: Int) {
        exchanges[exchange].machine.clock.resume(now: now)
        exchanges.setUpstreamDeadline(
            exchanges.upstream(of: exchange), after: exchanges.timeouts(exchange).idle)
        pumpResponse(exchange)
    }

    /// The whole body is here: the slot is free before the client has read it.
    private func endResponse(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        // One in chunks has brought its end with it.
        if exchanges[exchange].machine.framing.isChunked,
            exchanges[exchange].responseBody.endsWithConnection
        {
            buffers.equip(&downstreams[downstream].output)
            var sink = unsafe ByteSink(downstreams[downstream].output.writable)
            sink.append(BodyFrame.lastChunk)
            downstreams[downstream].output.commit(sink.count)
        }
        finishUpstream(exchange)
        finishAnswer(exchange)
    }

    /// The process broke off in the middle: the client must see that, and never a clean end.
    ///
    /// - Parameter isLate: It is silent, but may well be at work.
    func responseBroken(_ exchange: Int, isLate: Bool = false) {
        let downstream = Int(exchanges[exchange].downstream)
        endUpstream(exchange, .failed, isLate: isLate)
        _ = downstreams.flush(downstream)
        let looksWhole = exchanges[exchange].machine.framing.endsWithConnection
        dropExchange(exchange)
        if looksWhole {
            abortDownstream(downstream)
        } else {
            closeDownstream(downstream)
        }
    }
}
