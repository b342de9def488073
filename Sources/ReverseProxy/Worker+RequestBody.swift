internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing

/// From the client to the process: the head with what is added to it, and the body as it comes.
extension Worker {
    /// Renders the head for the process and begins to send.
    func sendRequest(_ exchange: Int) {
        let upstream = upstream(of: exchange)
        setUpstreamDeadline(upstream, after: timeouts(exchange).response)
        rewindBody(exchange)
        let downstream = Int(exchanges[exchange].downstream)
        exchanges[exchange].machine.connected(
            nothingFollows: downstreams[downstream].input.isEmpty, now: now)
        buffers.equip(&upstreams[upstream].output)
        guard renderRequest(exchange, upstream) else {
            endUpstream(exchange, .abandoned)
            answer(exchange, to: .headTooLarge)
            return
        }
        pumpRequest(exchange)
    }

    private func renderRequest(_ exchange: Int, _ upstream: Int) -> Bool {
        let downstream = Int(exchanges[exchange].downstream)
        let whole = unsafe downstreams[downstream].input.whole
        let bytes = unsafe whole.span.extracting(0..<exchanges[exchange].headLength)
        if parsedExchange != exchange {
            var scan = 0
            let parsed = requestHead.parse(
                bytes, resumeFrom: &scan, limit: .max)
            precondition(parsed == .complete, "a head that was parsed once parses again")
        }
        let resolved =
            exchanges[exchange].resolvesPath
            ? RequestPath.resolved(bytes.extracting(requestHead.path.range)) : []
        // Without a reference where nothing is kept, which is the rule.
        let kept =
            routes.plans[Int(exchanges[exchange].route)].forwardCookie
            ? routes.codecs[Int(exchanges[exchange].codec)].cookieName : []
        // Likewise.
        let mount =
            exchanges[exchange].prefixLength > 0
            ? routes.mounts[Int(exchanges[exchange].route)] : []
        let plan = listenerPlan(of: downstream)
        if plan.givesRequestIDs { requestHead.dropBadRequestID() }
        if plan.beginsTraces { requestHead.dropBadTrace() }
        let additions = headAdditions(exchange, downstream, plan, bytes)
        var sink = unsafe ByteSink(upstreams[upstream].output.writable)
        upstreams[upstream].codec.writeHead(
            &requestHead, from: bytes, resolved: resolved.span,
            strippingPrefix: exchanges[exchange].prefixLength, mount: mount.span,
            hiding: routes.ownCookies, keeping: kept.span, additions, into: &sink)
        if sink.overflowed { return false }
        upstreams[upstream].output.commit(sink.count)
        return true
    }

    /// What the process is told beside the parsed head.
    @inline(__always)
    private func headAdditions(
        _ exchange: Int, _ downstream: Int, _ plan: ListenerPlan, _ bytes: Span<UInt8>
    ) -> HeadAdditions {
        let isStored = exchanges[exchange].isRequestChunked
        return HeadAdditions(
            peer: downstreams[downstream].peer,
            origin: downstreams[downstream].isTrusted ? origin(of: downstream, bytes) : nil,
            grant: exchanges[exchange].machine.grant,
            requestID: exchanges[exchange].generatedID,
            trace: beginTrace(exchange, plan),
            measuredLength: exchanges[exchange].isMeasured ? exchanges[exchange].keptBytes : nil,
            storedBytes: isStored ? exchanges[exchange].keptBytes : 0,
            escapesTarget: routes.plans[Int(exchanges[exchange].route)].escapesTarget,
            isUpgrade: !exchanges[exchange].offeredUpgrade.range.isEmpty,
            isOverHTTP2: downstreams[downstream].carrier.isStream,
            expectsContinue: exchanges[exchange].machine.expectsContinue)
    }

    /// Moves what there is of the request: as much as both sides take.
    func pumpRequest(_ exchange: Int) {
        guard exchanges[exchange].requestPhase == .sending else { return }
        let upstream = upstream(of: exchange)
        let downstream = Int(exchanges[exchange].downstream)
        var reads = 0
        while true {
            let fill = fillRequest(exchange, downstream, upstream)
            if fill == .bad || isBodyTooLarge(exchange) {
                refuseBody(exchange, fill == .bad ? .badRequest : .bodyTooLarge)
                return
            }
            let outcome = upstreams.send(upstream)
            let isUntouched = upstreams[upstream].reused && !upstreams[upstream].sentAny
            switch exchanges[exchange].machine.sent(outcome, fill, isUntouched: isUntouched) {
            case .awaitProcess:
                downstreams.clearDeadline(downstream)
                downstreams[downstream].floor.stop()
                return
            case .retry: return brokenBeforeResponse(exchange)
            case .readResponse:
                downstreams[downstream].keepAlive = false
                upstreams[upstream].peerClosed = true
                upstreams[upstream].isReadable = true
                pumpResponse(exchange)
                return
            case .finished(let dropsBody):
                if dropsBody { dropStoredBody(exchange) }
                buffers.release(&upstreams[upstream].output)
                downstreams.clearDeadline(downstream)
                return
            case .fill: continue
            case .read:
                if reads == Self.readsPerTurn {
                    postpone(client: downstream)
                    return
                }
                reads += 1
                dropStoredBody(exchange)
                let serial = exchanges.serial(exchange)
                guard receiveBody(downstream, exchange) else {
                    if exchanges.holds(exchange, serial: serial) { awaitBody(exchange) }
                    return
                }
                exchanges[exchange].machine.bodyArrived(now: now)
                setUpstreamDeadline(upstream, after: timeouts(exchange).response)
            }
        }
    }

    /// Nothing more of the body is here: whoever is to act has a deadline.
    private func awaitBody(_ exchange: Int) {
        switch exchanges[exchange].machine.bodyIsAwaited() {
        case .invitation(let deadline): awaitInvitation(exchange, until: deadline)
        case .client: clearUpstreamDeadline(upstream(of: exchange))
        case .response: break
        }
    }

    /// Moves body from the client's input to a block with room, framed for the process.
    ///
    /// - Parameter isStoring: Data is kept without its framing, as it may turn out to be all.
    func decodeBody(
        _ exchange: Int, _ downstream: Int, into block: inout Block, _ codec: UpstreamCodec,
        isStoring: Bool = false
    ) -> BodyFill {
        let chunked = exchanges[exchange].isRequestChunked
        while true {
            if exchanges[exchange].requestBody.isEnded { return .ended }
            if downstreams[downstream].input.isEmpty { return .starved }
            if block.room < exchanges[exchange].requestBody.roomWanted { return .full }
            let readable = unsafe downstreams[downstream].input.readable
            let room = block.room - codec.bodyOverhead
            let event = unsafe exchanges[exchange].requestBody.next(readable.span, limit: room)
            switch event {
            case .data(let consumed, let range):
                var sink = unsafe ByteSink(block.writable)
                let data = unsafe readable.span.extracting(range)
                codec.writeBody(data, isChunked: chunked && !isStoring, into: &sink)
                block.commit(sink.count)
                downstreams[downstream].input.consume(consumed)
                exchanges[exchange].requestBodyBytes &+= UInt64(range.count)
            case .needMore(let consumed):
                downstreams[downstream].input.consume(consumed)
                return .starved
            case .end(let consumed):
                let length =
                    exchanges[exchange].holdsRequestTrailers
                    ? exchanges[exchange].requestBody.trailerLength : 0
                if isStoring, length <= BodyFrame.noTrailers {
                    exchanges[exchange].isRequestChunked = false
                    exchanges[exchange].isMeasured = true
                } else if chunked {
                    var sink = unsafe ByteSink(block.writable)
                    if isStoring, exchanges[exchange].requestBodyBytes > 0 {
                        sink.append("\r\n")
                    }
                    unsafe codec.writeBodyEnd(
                        trailers: readable.span.extracting(consumed - length..<consumed),
                        into: &sink)
                    block.commit(sink.count)
                }
                downstreams[downstream].input.consume(consumed)
                return .ended
            case .bad:
                return .bad
            }
        }
    }

    /// Reads more of the body behind the head; false: wait, or the client has gone.
    func receiveBody(_ downstream: Int, _ exchange: Int) -> Bool {
        guard downstreams[downstream].isReadable else {
            downstreams.setBodyDeadline(downstream)
            return false
        }
        buffers.equip(&downstreams[downstream].input)
        downstreams[downstream].input.compact(to: exchanges[exchange].headLength)
        switch downstreams.read(downstream) {
        case .moved(let count):
            downstreams.noteProgress(downstream, count)
            return true
        case .wouldBlock:
            downstreams.setBodyDeadline(downstream)
            return false
        case .end, .failed:
            abandonDownstream(downstream)
            return false
        }
    }

    func isBodyTooLarge(_ exchange: Int) -> Bool {
        let limit = settings.limits.requestBody
        return limit > 0 && exchanges[exchange].requestBodyBytes > limit
    }

    /// The body turned out bad in the middle: the process must not take it for whole.
    private func refuseBody(_ exchange: Int, _ problem: Problem) {
        switch exchanges[exchange].machine.bodyIsBad() {
        case .answer: answer(exchange, to: problem)
        case .abandon: abandonDownstream(Int(exchanges[exchange].downstream))
        }
    }
}
