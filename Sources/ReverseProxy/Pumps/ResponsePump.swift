internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// From the process to the client: the head with added fields, and the body as it arrives.
///
/// Belongs to the loop's thread. Extension: the head.
final class ResponsePump {
    /// How many blocks one connection may move before the others have their turn.
    private static let readsPerTurn = 16
    /// Room that is reserved for the end of a response, so that it can always be written.
    private static let endRoom = 16

    let exchanges: ExchangeTable
    let upstreams: Upstreams
    let downstreams: Downstreams
    let buffers: Buffers
    let heads: Heads
    let bodies: RequestBodies
    let carriers: SessionCarriers
    private let retries: Retries
    let answers: OwnAnswers
    let processEnds: ProcessEnds
    let clientEnds: ClientEnds
    let tunnels: TunnelPump

    init(
        _ owners: Owners, heads: Heads, bodies: RequestBodies, carriers: SessionCarriers,
        retries: Retries, answers: OwnAnswers, processEnds: ProcessEnds,
        clientEnds: ClientEnds, tunnels: TunnelPump
    ) {
        exchanges = owners.exchanges
        upstreams = owners.upstreams
        downstreams = owners.downstreams
        buffers = owners.buffers
        self.heads = heads
        self.bodies = bodies
        self.carriers = carriers
        self.retries = retries
        self.answers = answers
        self.processEnds = processEnds
        self.clientEnds = clientEnds
        self.tunnels = tunnels
    }

    /// Moves available parts of the response: as much as both sides accept.
    func pumpResponse(_ exchange: Int) -> Step {
        var reads = 0
        while let upstream = exchanges[exchange].source.connection {
            if reads == Self.readsPerTurn { return .passLater }
            reads += 1
            switch exchanges[exchange].responsePhase {
            case .awaitingHead:
                if !upstreams[upstream].input.isEmpty {
                    switch heads.parseResponse(exchange, upstream) {
                    case .complete:
                        guard startResponse(exchange, upstream) else { return .over }
                        continue
                    case .rejected(let problem):
                        refuseResponse(exchange, problem.reason)
                        return .over
                    case .incomplete: break
                    }
                }
                if upstreams[upstream].records.isOver {
                    refuseRecords(exchange, upstream)
                    return .over
                }
            case .streaming:
                switch passBody(exchange, upstream) {
                case .ended:
                    endResponse(exchange)
                    return .over
                case .blocked:
                    // The process waits for the client, so it has no deadline.
                    exchanges.clearUpstreamDeadline(upstream)
                    downstreams.holdSparingly(Int(exchanges[exchange].downstream))
                    buffers.holdSparingly(&upstreams[upstream].input)
                    return .wait
                case .starved: break
                case .bad:
                    clientEnds.cutShort(exchange)
                    return .over
                case .clientGone:
                    clientEnds.abandon(Int(exchanges[exchange].downstream))
                    return .over
                }
            case .tunnel: return tunnels.pumpTunnel(exchange)
            case .received: return .wait
            }
            if let step = receive(exchange, from: upstream) { return step }
        }
        return .wait
    }

    /// Reads once.
    ///
    /// - Returns: nil: bytes have arrived; otherwise the next step, also at the end of the
    ///   connection.
    private func receive(_ exchange: Int, from upstream: Int) -> Step? {
        guard upstreams[upstream].isReadable else { return nothingCame(exchange) }
        // If memory is short, reads use less of it: the client may be slow.
        let isForStream = downstreams[Int(exchanges[exchange].downstream)].carrier.isStream
        buffers.equipForProcess(&upstreams[upstream].input, isForStream: isForStream)
        switch upstreams.read(upstream) {
        case .moved:
            if exchanges[exchange].responsePhase == .streaming {
                exchanges.setUpstreamDeadline(upstream, after: exchanges.timeouts(exchange).idle)
            }
            return nil
        case .wouldBlock: return nothingCame(exchange)
        case .end: return upstreamEnded(exchange, cleanly: true)
        case .failed: return upstreamEnded(exchange, cleanly: false)
        }
    }

    /// The process has closed: the end of a body without a length, or an error.
    private func upstreamEnded(_ exchange: Int, cleanly: Bool) -> Step {
        let isEnd = cleanly && exchanges[exchange].responseBody.endsWithConnection
        switch exchanges[exchange].machine.processClosed(isEnd: isEnd) {
        case .broke: return retries.broke(exchange)
        case .ended:
            upstreams[exchanges.upstream(of: exchange)].peerClosed = true
            endResponse(exchange)
        case .cutShort: clientEnds.cutShort(exchange)
        }
        return .over
    }

    /// On shutdown ends an event stream, once everything received was forwarded.
    private func nothingCame(_ exchange: Int) -> Step {
        guard downstreams.drain.endsEndless, exchanges[exchange].machine.isEventStream else {
            return .wait
        }
        let downstream = Int(exchanges[exchange].downstream)
        if exchanges[exchange].machine.framing.isChunked { writeLastChunk(to: downstream) }
        processEnds.end(exchange, .abandoned)
        exchanges[exchange].machine.eventStreamEnded()
        clientEnds.finishAnswer(exchange)
        return .over
    }

    private func writeLastChunk(to downstream: Int) {
        buffers.equip(&downstreams[downstream].output)
        downstreams[downstream].output.write { $0.append(BodyFrame.lastChunk) }
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
                if upstreams[upstream].records.isOver { return endRecords(exchange, upstream) }
                return flushed(downstream, room: Self.endRoom) ?? .starved
            }
            buffers.equip(&downstreams[downstream].output)
            let wanted = exchanges[exchange].responseBody.roomWanted
            if downstreams[downstream].wantsWrite || downstreams[downstream].output.room < wanted {
                if let stuck = flushed(downstream, room: wanted) { return stuck }
                buffers.equip(&downstreams[downstream].output)
            }
            let room = downstreams[downstream].output.room - BodyFrame.overhead
            let bytes = unsafe upstreams[upstream].input.bytes
            let event = exchanges[exchange].responseBody.next(bytes, limit: room)
            switch event {
            case .data(let consumed, let range):
                if exchanges[exchange].announcesID {
                    carriers.learnBody(exchange, bytes.extracting(range))
                }
                downstreams[downstream].output.write { sink in
                    BodyFrame.write(bytes.extracting(range), chunked: chunked, into: &sink)
                }
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
                    downstreams[downstream].output.write { sink in
                        BodyFrame.writeEnd(
                            trailers: bytes.extracting(consumed - length..<consumed), into: &sink)
                    }
                }
                upstreams[upstream].input.consume(consumed)
                return .ended
            case .bad:
                return .bad
            }
        }
    }

    /// The records of a response are over, and all that they held has been passed on.
    private func endRecords(_ exchange: Int, _ upstream: Int) -> Pass {
        let isWhole = exchanges[exchange].responseBody.endStream()
        return isWhole && upstreams[upstream].records.end == .complete ? .ended : .bad
    }

    /// Sends the output, or keeps it; nil: there is room for more.
    private func flushed(_ downstream: Int, room: Int) -> Pass? {
        switch downstreams.sendOrStore(downstream, room: room) {
        case .room: nil
        case .full: .blocked
        case .clientGone: .clientGone
        }
    }

    /// Continues after the client has read something.
    func resumeResponse(_ exchange: Int) -> Step {
        exchanges[exchange].machine.clock.resume(now: exchanges.now)
        exchanges.setUpstreamDeadline(
            exchanges.upstream(of: exchange), after: exchanges.timeouts(exchange).idle)
        return pumpResponse(exchange)
    }

    /// The complete body is here: the slot is released before the client has read it.
    private func endResponse(_ exchange: Int) {
        // A chunked body has brought its end with it.
        if exchanges[exchange].machine.framing.isChunked,
            exchanges[exchange].responseBody.endedBesideIt
        {
            writeLastChunk(to: Int(exchanges[exchange].downstream))
        }
        processEnds.finish(exchange)
        clientEnds.finishAnswer(exchange)
    }
}
