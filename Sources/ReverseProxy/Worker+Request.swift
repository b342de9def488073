internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity

/// From bytes of a client to an exchange that asks for a slot.
extension Worker {
    static let headTooSlow = HTTPProblem(status: 408, reason: "head too slow")

    func downstreamEvent(_ place: Int, _ readiness: Readiness) {
        if readiness.isReadable { downstreams[place].isReadable = true }
        if readiness.isPeerClosed {
            downstreams[place].peerClosed = true
            downstreams[place].isReadable = true
        }
        if downstreams[place].phase == .exchange,
            exchanges[Int(downstreams[place].exchange)].responsePhase == .tunnel
        {
            // Also when it has hung up: its last bytes may still be there.
            if readiness.isBroken { downstreams[place].isReadable = true }
            pumpTunnel(Int(downstreams[place].exchange))
            return
        }
        if readiness.isBroken {
            abandonDownstream(place)
            return
        }
        let serial = downstreams.serial(place)
        if readiness.isWritable, downstreams[place].wantsWrite {
            resumeWriting(place)
            guard downstreams.holds(place, serial: serial) else { return }
        }
        switch downstreams[place].phase {
        case .greeting: readGreeting(place)
        case .handshaking: wantHandshake(place)
        case .multiplexed: readFrames(place)
        case .idle, .receivingHead: readRequests(place)
        case .lingering: discard(place)
        case .exchange:
            let exchange = Int(downstreams[place].exchange)
            let hasEnded = downstreams[place].peerClosed
            switch exchanges[exchange].machine.clientReadable(hasEnded: hasEnded) {
            case .abandon: abandonDownstream(place)
            case .buffer: bufferRequest(exchange)
            case .send: pumpRequest(exchange)
            case .nothing: break
            }
        }
    }

    /// Reads and serves requests until there is nothing more to read, or one is under way.
    func readRequests(_ place: Int) {
        while true {
            if !downstreams[place].input.isEmpty {
                switch parseHead(place) {
                case .complete:
                    let serial = downstreams.serial(place)
                    beginExchange(place)
                    // Answered on the spot: the next one may be here already.
                    guard downstreams.holds(place, serial: serial),
                        downstreams[place].phase == .idle
                    else { return }
                    continue
                case .rejected(let problem):
                    if isPreface(place) { return beginMultiplexing(place) }
                    rejectHead(place, problem)
                    return
                case .incomplete:
                    break
                }
            }
            guard receive(place) else { return }
        }
    }

    /// Reads once; false: nothing came, or the connection is closed.
    private func receive(_ place: Int) -> Bool {
        guard downstreams[place].isReadable else {
            if downstreams[place].input.isEmpty { buffers.release(&downstreams[place].input) }
            return false
        }
        buffers.equip(&downstreams[place].input)
        switch downstreams.read(place) {
        case .moved(let count):
            if downstreams[place].phase == .idle {
                downstreams[place].move(to: .receivingHead)
                downstreams.beginHead(place)
            } else {
                downstreams.noteHead(place, count)
            }
            return true
        case .wouldBlock:
            if downstreams[place].input.isEmpty { buffers.release(&downstreams[place].input) }
            holdSparingly(place)
            return false
        case .end, .failed:
            // Between requests, or in the middle of a head: there is nobody to answer.
            closeDownstream(place)
            return false
        }
    }

    private func parseHead(_ place: Int) -> HeadParse {
        let readable = unsafe downstreams[place].input.readable
        let bytes = unsafe readable.span
        return requestHead.parse(
            bytes, resumeFrom: &downstreams[place].headScan, limit: settings.limits.requestHead)
    }

    /// Makes an exchange of the parsed head at the front of the input.
    private func beginExchange(_ place: Int) {
        downstreams[place].headScan = 0
        downstreams[place].isFresh = false
        guard let exchange = newExchange(place) else { return }
        exchanges[exchange].method = requestHead.method
        exchanges[exchange].headLength = requestHead.headLength
        exchanges[exchange].requestLine = requestHead.requestLine
        identify(exchange, as: requestHead.requestID)
        exchanges[exchange].requestBody = BodyDecoder(
            requestHead.body, holdsTrailers: requestHead.passesTrailers)
        exchanges[exchange].holdsRequestTrailers = requestHead.passesTrailers
        exchanges[exchange].takesTrailers = requestHead.acceptsTrailers
        let hasBody = !requestHead.body.isEmpty
        exchanges[exchange].isRequestChunked = requestHead.body.isChunked
        // A body would have to be over before the protocol changes: such a wish is not passed on.
        let offersUpgrade = !requestHead.upgrade.isEmpty && !hasBody
        if offersUpgrade { exchanges[exchange].offeredUpgrade = requestHead.upgrade }
        exchanges[exchange].machine.begin(
            RequestTraits(
                hasBody: hasBody, isHTTP11: requestHead.isHTTP11,
                isIdempotent: requestHead.method.isIdempotent,
                expectsContinue: requestHead.expectContinue,
                upgrade: !offersUpgrade ? .none : requestHead.isWebSocket ? .webSocket : .other))
        if !requestHead.keepAlive || drain.isDraining && !isMovable(place) {
            downstreams[place].keepAlive = false
        }

        let readable = unsafe downstreams[place].input.readable
        let bytes = unsafe readable.span
        // What a trusted proxy says was asked for.
        var authority = 0..<0
        if downstreams[place].isTrusted {
            let origin = origin(of: place, bytes)
            exchanges[exchange].client = origin.client
            exchanges[exchange].isSecure = origin.isSecure
            authority = origin.host.range
        } else {
            exchanges[exchange].client = downstreams[place].address
            exchanges[exchange].isSecure = downstreams[place].isSecure
        }
        exchanges[exchange].machine.admission.maySpawn = settings.limits.spawnsPerSource == 0
        if !exchanges[exchange].isSecure, listenerPlan(of: place).redirects {
            downstreams[place].input.consume(requestHead.headLength)
            return redirect(
                exchange, bytes, host: authority.isEmpty ? requestHead.host.range : authority)
        }
        if requestHead.maxForwards == 0, requestHead.method == .options {
            downstreams[place].input.consume(requestHead.headLength)
            return answerOptions(exchange)
        }
        if let problem = chooseRoute(exchange, bytes) {
            downstreams[place].input.consume(requestHead.headLength)
            answer(exchange, problem)
            return
        }
        readClaim(exchange, bytes)
        exchanges[exchange].owesVerdict = true
        exchanges[exchange].signsInConnection = requestHead.signsInConnection
        if upstreams.firstOwn(of: place) != nil { followSignIn(exchange, bytes) }
        // The head stays at the front; bodies are read behind it.
        downstreams[place].input.consume(requestHead.headLength)
        parsedExchange = exchange
        if exchanges[exchange].machine.traits.hasBody {
            admitWithBody(exchange)
        } else {
            admit(exchange)
        }
        parsedExchange = -1
    }

    /// Where the parsed head came from, as a trusted proxy says.
    func origin(of place: Int, _ bytes: Span<UInt8>) -> RequestOrigin {
        requestHead.origin(
            in: bytes, peer: downstreams[place].address, isSecure: downstreams[place].isSecure,
            trusted: listener(of: place)?.trusted ?? TrustedNetworks())
    }

    /// A fresh exchange on a connection; nil: none is free and the connection is closed.
    private func newExchange(_ place: Int) -> Int? {
        let fresh = Exchange(downstream: place, startedAt: now)
        guard let exchange = exchanges.insert(fresh) else {
            closeDownstream(place)
            return nil
        }
        exchanges[exchange].machine.admission.waiter = waiterTag(exchange)
        downstreams[place].move(to: .exchange)
        downstreams[place].exchange = Int32(truncatingIfNeeded: exchange)
        counters.add(.requestsActive)
        return exchange
    }

    /// Finds the route; an answer where there is none, or the request cannot be taken.
    private func chooseRoute(_ exchange: Int, _ bytes: Span<UInt8>) -> OwnAnswer? {
        let path = bytes.extracting(requestHead.path.range)
        let host = bytes.extracting(requestHead.host.range)
        switch RequestPath.form(of: path) {
        case .plain: return chooseRoute(exchange, host: host, path: path)
        case .dotted:
            exchanges[exchange].resolvesPath = true
            let resolved = RequestPath.resolved(path)
            return chooseRoute(exchange, host: host, path: resolved.span)
        case .climbing: return .pathAboveRoot
        case .hidden: return .hiddenDotSegments
        case .backslash: return .backslash
        }
    }

    private func chooseRoute(
        _ exchange: Int, host: Span<UInt8>, path: Span<UInt8>
    ) -> OwnAnswer? {
        guard let route = routes.table.match(host: host, path: path) else { return .noRoute }
        exchanges[exchange].route = Int32(truncatingIfNeeded: route)
        exchanges[exchange].group = Int32(truncatingIfNeeded: routes.plans[route].group)
        exchanges[exchange].codec = Int32(
            truncatingIfNeeded: routes.plans[route].codec + (exchanges[exchange].isSecure ? 1 : 0))
        if routes.plans[route].stripsPrefix {
            exchanges[exchange].prefixLength = routes.table.prefixLength(of: route, in: path)
        }
        if routes.plans[route].hasHealthPath {
            exchanges[exchange].machine.admission.isSessionless = isHealthCheck(
                exchange, route, path)
        }
        if case .length(let length) = requestHead.body, settings.limits.requestBody > 0,
            length > settings.limits.requestBody
        {
            return .bodyTooLarge
        }
        return nil
    }

    /// Answers a head that is not one, and closes: nothing behind it can be trusted.
    func rejectHead(_ place: Int, _ problem: HTTPProblem) {
        guard let exchange = newExchange(place) else { return }
        exchanges[exchange].isRejected = true
        identify(exchange, as: .empty)
        downstreams[place].keepAlive = false
        downstreams[place].input.consume(downstreams[place].input.count)
        answer(
            exchange,
            OwnAnswer(
                status: problem.status, error: "http_request_error", details: problem.reason,
                closes: true))
    }

    /// The registry has decided on a good cookie, whose process may be gone.
    func settleVerdict(_ exchange: Int, isLost: Bool) {
        switch exchanges[exchange].verdict {
        case .valid, .expired: if isLost { exchanges[exchange].verdict = .gone }
        case .none, .forged, .unknownKey, .otherGroup, .gone, .malformed: break
        }
        countVerdict(exchange)
    }

    /// Counts the verdict of a request, once.
    func countVerdict(_ exchange: Int) {
        guard exchanges[exchange].owesVerdict else { return }
        exchanges[exchange].owesVerdict = false
        counters.count(exchanges[exchange].verdict)
    }
}
