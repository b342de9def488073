internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings

/// From a client's bytes to an exchange that requests a slot.
///
/// Belongs to the loop's thread. Extensions: routing, and authenticated connections.
final class Intake {
    let exchanges: ExchangeTable
    let downstreams: Downstreams
    private let buffers: Buffers
    let plan: Plan
    private let handover: Handover
    private let answers: OwnAnswers
    private let clientEnds: ClientEnds
    private let requests: RequestPump
    private let placement: Placement
    private let carriers: SessionCarriers
    private let scripts: Scripts
    private let files: FileAnswers

    init(
        _ owners: Owners, handover: Handover, answers: OwnAnswers, clientEnds: ClientEnds,
        requests: RequestPump, placement: Placement, carriers: SessionCarriers, scripts: Scripts,
        files: FileAnswers
    ) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        buffers = owners.buffers
        plan = owners.plan
        self.handover = handover
        self.answers = answers
        self.clientEnds = clientEnds
        self.requests = requests
        self.placement = placement
        self.carriers = carriers
        self.scripts = scripts
        self.files = files
    }

    var upstreams: Upstreams { exchanges.upstreams }

    /// The result of reading from a client.
    enum Outcome {
        /// No request yet, or the client has gone.
        case nothing
        /// A request, and the next step of its exchange.
        case began(Step)
        /// The client switches to HTTP/2: what was read is its beginning.
        case preface
    }

    /// Reads until a request is complete, and starts it, or until there is nothing more to read.
    ///
    /// Pipelined requests are left in the input: `Agenda` has the client read again when the
    /// exchange is over.
    func readRequest(_ entry: Int) -> Outcome {
        while true {
            if !downstreams[entry].input.isEmpty {
                switch parseHead(entry) {
                case .complete: return .began(beginExchange(entry))
                case .rejected(let problem):
                    if isPreface(entry) { return .preface }
                    rejectHead(entry, problem)
                    return .nothing
                case .incomplete: break
                }
            }
            guard receive(entry) else { return .nothing }
        }
    }

    /// Reads once; false: nothing arrived, or the connection was closed.
    private func receive(_ entry: Int) -> Bool {
        guard downstreams[entry].isReadable else {
            if downstreams[entry].input.isEmpty { buffers.release(&downstreams[entry].input) }
            return false
        }
        buffers.equip(&downstreams[entry].input)
        switch downstreams.read(entry) {
        case .moved(let count):
            if downstreams[entry].phase == .idle {
                downstreams[entry].move(to: .receivingHead)
                downstreams.beginHead(entry)
            } else {
                downstreams.noteHead(entry, count)
            }
            return true
        case .wouldBlock:
            if downstreams[entry].input.isEmpty { buffers.release(&downstreams[entry].input) }
            downstreams.holdSparingly(entry)
            return false
        case .end, .failed:
            // Between requests, or in the middle of a head: there is no request to answer.
            clientEnds.close(entry)
            return false
        }
    }

    private func parseHead(_ entry: Int) -> HeadParse {
        let bytes = unsafe downstreams[entry].input.bytes
        return exchanges.heads.request.parse(
            bytes, resumeFrom: &downstreams[entry].headScan, limit: plan.settings.limits.requestHead
        )
    }

    /// Whether a rejected head is the HTTP/2 preface, on a connection that may begin with it.
    private func isPreface(_ entry: Int) -> Bool {
        guard downstreams[entry].isFresh, !downstreams[entry].carrier.isStream,
            plan.listener(downstreams[entry].listener)?.http2 == true
        else { return false }
        return unsafe HTTP2Connection.beginsWithPreface(downstreams[entry].input.bytes)
    }

    // MARK: Exchanges

    /// Creates an exchange for the parsed head at the front of the input.
    private func beginExchange(_ entry: Int) -> Step {
        downstreams[entry].headScan = 0
        downstreams[entry].isFresh = false
        guard let exchange = newExchange(entry) else { return .over }
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
        // A body would have to end before the protocol changes: such an upgrade is not forwarded.
        let offersUpgrade = !exchanges.heads.request.upgrade.isEmpty && !hasBody
        if offersUpgrade { exchanges[exchange].offeredUpgrade = exchanges.heads.request.upgrade }
        exchanges[exchange].machine.begin(
            RequestTraits(
                hasBody: hasBody, isHTTP11: exchanges.heads.request.isHTTP11,
                isIdempotent: exchanges.heads.request.method.isIdempotent,
                expectsContinue: exchanges.heads.request.expectContinue,
                upgrade: !offersUpgrade
                    ? .none : exchanges.heads.request.isWebSocket ? .webSocket : .other))
        if !exchanges.heads.request.keepAlive
            || downstreams.drain.isDraining && !handover.isMovable(entry)
        {
            downstreams[entry].keepAlive = false
        }

        let bytes = unsafe downstreams[entry].input.bytes
        // The authority stated by a trusted proxy.
        var authority = 0..<0
        if downstreams[entry].isTrusted {
            let origin = exchanges.origin(of: entry, bytes)
            exchanges[exchange].client = origin.client
            exchanges[exchange].isSecure = origin.isSecure
            authority = origin.host.range
        } else {
            exchanges[exchange].client = downstreams[entry].address
            exchanges[exchange].isSecure = downstreams[entry].isSecure
        }
        exchanges[exchange].machine.admission.maySpawn = plan.settings.limits.spawnsPerSource == 0
        if !exchanges[exchange].isSecure, plan.listenerPlan(downstreams[entry].listener).redirects {
            downstreams[entry].input.consume(exchanges.heads.request.headLength)
            answers.redirect(
                exchange, bytes,
                host: authority.isEmpty ? exchanges.heads.request.host.range : authority)
            return .over
        }
        if exchanges.heads.request.method == .options {
            let details: StaticString? =
                exchanges.heads.request.asksServer(bytes)
                ? "of the server itself"
                : exchanges.heads.request.maxForwards == 0 ? "Max-Forwards is 0" : nil
            if let details {
                downstreams[entry].input.consume(exchanges.heads.request.headLength)
                answers.giveOptions(exchange, details)
                return .over
            }
        }
        if let problem = chooseRoute(exchange, bytes) {
            downstreams[entry].input.consume(exchanges.heads.request.headLength)
            answers.give(exchange, problem)
            return .over
        }
        if plan.routes.plans[Int(exchanges[exchange].route)].isFiles {
            downstreams[entry].input.consume(exchanges.heads.request.headLength)
            files.answer(exchange, bytes)
            return .over
        }
        carriers.readClaim(exchange, bytes)
        exchanges[exchange].owesVerdict = true
        exchanges[exchange].signsInConnection = exchanges.heads.request.signsInConnection
        if upstreams.firstOwn(of: entry) != nil { followSignIn(exchange, bytes) }
        // The head stays at the front; bodies are read after it.
        downstreams[entry].input.consume(exchanges.heads.request.headLength)
        exchanges.heads.exchange = exchange
        defer { exchanges.heads.exchange = -1 }
        if plan.routes.plans[Int(exchanges[exchange].route)].isFastCGI,
            !scripts.prepare(exchange, bytes)
        {
            return .over
        }
        if exchanges[exchange].machine.traits.hasBody {
            let step = requests.beginBody(exchange)
            guard step == .ask else { return step }
        }
        return placement.ask(exchange)
    }

    /// A new exchange on a connection; nil: none is free, and the connection was closed.
    private func newExchange(_ entry: Int) -> Int? {
        guard let exchange = exchanges.begin(on: entry) else {
            clientEnds.close(entry)
            return nil
        }
        exchanges[exchange].machine.admission.waiter = placement.waiterTag(exchange)
        downstreams[entry].move(to: .exchange)
        downstreams[entry].exchange = Int32(truncatingIfNeeded: exchange)
        return exchange
    }

    /// Answers an invalid head and closes: nothing after it can be trusted.
    func rejectHead(_ entry: Int, _ problem: HTTPProblem) {
        guard let exchange = newExchange(entry) else { return }
        exchanges[exchange].isRejected = true
        exchanges.identify(exchange, as: .empty)
        downstreams[entry].keepAlive = false
        // A head begins at the start of its block.
        if unsafe downstreams[entry].input.whole.count == downstreams[entry].input.count {
            let readable = unsafe downstreams[entry].input.readable
            exchanges[exchange].requestLine = unsafe RequestHead.firstLine(of: readable.span)
        }
        downstreams[entry].input.consume(downstreams[entry].input.count)
        answers.give(
            exchange,
            OwnAnswer(
                status: problem.status, error: "http_request_error", details: problem.reason,
                closes: true))
    }
}
