internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings

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
        return exchanges.heads.request.parse(
            bytes, resumeFrom: &downstreams[place].headScan, limit: settings.limits.requestHead)
    }

    /// Makes an exchange of the parsed head at the front of the input.
    private func beginExchange(_ place: Int) {
        downstreams[place].headScan = 0
        downstreams[place].isFresh = false
        guard let exchange = newExchange(place) else { return }
        exchanges[exchange].method = exchanges.heads.request.method
        exchanges[exchange].headLength = exchanges.heads.request.headLength
        exchanges[exchange].requestLine = exchanges.heads.request.requestLine
        exchanges.identify(exchange, as: exchanges.heads.request.requestID)
        exchanges[exchange].requestBody = BodyDecoder(
            exchanges.heads.request.body, holdsTrailers: exchanges.heads.request.passesTrailers)
        exchanges[exchange].holdsRequestTrailers = exchanges.heads.request.passesTrailers
        exchanges[exchange].takesTrailers = exchanges.heads.request.acceptsTrailers
        let hasBody = !exchanges.heads.request.body.isEmpty
        exchanges[exchange].isRequestChunked = exchanges.heads.request.body.isChunked
        // A body would have to be over before the protocol changes: such a wish is not passed on.
        let offersUpgrade = !exchanges.heads.request.upgrade.isEmpty && !hasBody
        if offersUpgrade { exchanges[exchange].offeredUpgrade = exchanges.heads.request.upgrade }
        exchanges[exchange].machine.begin(
            RequestTraits(
                hasBody: hasBody, isHTTP11: exchanges.heads.request.isHTTP11,
                isIdempotent: exchanges.heads.request.method.isIdempotent,
                expectsContinue: exchanges.heads.request.expectContinue,
                upgrade: !offersUpgrade
                    ? .none : exchanges.heads.request.isWebSocket ? .webSocket : .other))
        if !exchanges.heads.request.keepAlive || drain.isDraining && !isMovable(place) {
            downstreams[place].keepAlive = false
        }

        let readable = unsafe downstreams[place].input.readable
        let bytes = unsafe readable.span
        // What a trusted proxy says was asked for.
        var authority = 0..<0
        if downstreams[place].isTrusted {
            let origin = exchanges.origin(of: place, bytes)
            exchanges[exchange].client = origin.client
            exchanges[exchange].isSecure = origin.isSecure
            authority = origin.host.range
        } else {
            exchanges[exchange].client = downstreams[place].address
            exchanges[exchange].isSecure = downstreams[place].isSecure
        }
        exchanges[exchange].machine.admission.maySpawn = settings.limits.spawnsPerSource == 0
        if !exchanges[exchange].isSecure, plan.listenerPlan(downstreams[place].listener).redirects {
            downstreams[place].input.consume(exchanges.heads.request.headLength)
            return redirect(
                exchange, bytes,
                host: authority.isEmpty ? exchanges.heads.request.host.range : authority)
        }
        if exchanges.heads.request.maxForwards == 0, exchanges.heads.request.method == .options {
            downstreams[place].input.consume(exchanges.heads.request.headLength)
            return answerOptions(exchange)
        }
        if let problem = exchanges.chooseRoute(exchange, bytes) {
            downstreams[place].input.consume(exchanges.heads.request.headLength)
            answer(exchange, problem)
            return
        }
        exchanges.readClaim(exchange, bytes)
        exchanges[exchange].owesVerdict = true
        exchanges[exchange].signsInConnection = exchanges.heads.request.signsInConnection
        if upstreams.firstOwn(of: place) != nil { followSignIn(exchange, bytes) }
        // The head stays at the front; bodies are read behind it.
        downstreams[place].input.consume(exchanges.heads.request.headLength)
        exchanges.heads.exchange = exchange
        if exchanges[exchange].machine.traits.hasBody {
            admitWithBody(exchange)
        } else {
            admit(exchange)
        }
        exchanges.heads.exchange = -1
    }

    /// A fresh exchange on a connection; nil: none is free and the connection is closed.
    private func newExchange(_ place: Int) -> Int? {
        guard let exchange = exchanges.begin(on: place) else {
            closeDownstream(place)
            return nil
        }
        exchanges[exchange].machine.admission.waiter = waiterTag(exchange)
        downstreams[place].move(to: .exchange)
        downstreams[place].exchange = Int32(truncatingIfNeeded: exchange)
        return exchange
    }

    /// Answers a head that is not one, and closes: nothing behind it can be trusted.
    func rejectHead(_ place: Int, _ problem: HTTPProblem) {
        guard let exchange = newExchange(place) else { return }
        exchanges[exchange].isRejected = true
        exchanges.identify(exchange, as: .empty)
        downstreams[place].keepAlive = false
        downstreams[place].input.consume(downstreams[place].input.count)
        answer(
            exchange,
            OwnAnswer(
                status: problem.status, error: "http_request_error", details: problem.reason,
                closes: true))
    }
}
