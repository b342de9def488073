internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// Sessions on the wire: the session that a request claims, and the cookie that its response sets.
///
/// Belongs to the loop's thread. Extension: a response's effect on its session.
final class Sessions {
    /// How long the first requests of a connection share one pin (design, placement rule 6).
    private static let provisionalPin: Int64 = 5_000_000_000
    /// How many of Mooring's cookies are verified per request, over all its fields: a browser sends
    /// one, and further ones are ignored to bound the cost.
    private static let maximumVerifications = 8

    let exchanges: ExchangeTable
    let downstreams: Downstreams
    let upstreams: Upstreams
    let plan: Plan
    let logThrottle: LogThrottle
    private var entropy = Entropy()

    init(_ owners: Owners) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        upstreams = owners.upstreams
        plan = owners.plan
        logThrottle = owners.shared.logThrottle
    }

    /// Reads the cookies of the parsed head into the exchange's claim.
    func readClaim(_ exchange: Int, _ bytes: Span<UInt8>) {
        let route = Int(exchanges[exchange].route)
        let routePlan = plan.routes.plans[route]
        noteSessionless(exchange, bytes)
        exchanges.wallClock.refresh(turn: exchanges.now)
        let codec = Int(exchanges[exchange].codec)
        let name = plan.routes.codecs[codec].cookieName

        var best: Token?
        var bestVerdict = Verdict.none
        var verified = 0
        for index in 0..<exchanges.heads.request.fields.count {
            // Not `==`, which calls into the library for enumerations of other modules.
            guard case .cookie = exchanges.heads.request.fields[index].known else { continue }
            let value = exchanges.heads.request.fields[index].value.range
            var scanner = CookieScanner(value)
            while verified < Self.maximumVerifications,
                let given = scanner.next(in: bytes, named: name.span)
            {
                verified += 1
                let found = verify(exchange, codec, bytes.extracting(given))
                (best, bestVerdict) = Self.better((best, bestVerdict), found)
            }
        }
        exchanges[exchange].verdict = bestVerdict
        if routePlan.pin == .app { exchanges[exchange].learnedFrom = learnedFrom(route, bytes) }
        claim(exchange, best, bestVerdict, routePlan, bytes)
    }

    /// Notes whether the parsed head's request can have a session at all.
    func noteSessionless(_ exchange: Int, _ bytes: Span<UInt8>) {
        let pin = plan.routes.plans[Int(exchanges[exchange].route)].pin
        if pin == .never || exchanges.heads.request.isPreflight(bytes) {
            exchanges[exchange].machine.admission.isSessionless = true
        }
    }

    private func learnedFrom(_ route: Int, _ bytes: Span<UInt8>) -> Int32 {
        for (index, name) in plan.routes.learn[route].enumerated()
        where exchanges.heads.request.carries(cookie: name, in: bytes) {
            return Int32(truncatingIfNeeded: index)
        }
        return -1
    }

    /// The newest valid value wins; then one that is merely expired; then the last reason for
    /// rejection.
    private static func better(
        _ one: (Token?, Verdict), _ other: Verification
    ) -> (Token?, Verdict) {
        switch (one.1, other.verdict) {
        case (.valid, .valid):
            let isNewer = (other.token?.issued ?? 0) > (one.0?.issued ?? 0)
            return isNewer ? (other.token, .valid) : one
        case (.valid, _): return one
        case (_, .valid): return (other.token, .valid)
        case (.expired, .expired):
            let isNewer = (other.token?.issued ?? 0) > (one.0?.issued ?? 0)
            return isNewer ? (other.token, .expired) : one
        case (.expired, _): return one
        default: return (other.token, other.verdict)
        }
    }

    /// The connection that holds the cache of cookies and pins: for a stream, the one that carries
    /// it.
    func affinityHolder(_ exchange: Int) -> Int {
        let downstream = Int(exchanges[exchange].downstream)
        return switch downstreams[downstream].carrier {
        case .connection: downstream
        case .stream(let stream): Int(stream.parent)
        }
    }

    private func claim(
        _ exchange: Int, _ token: Token?, _ verdict: Verdict, _ routePlan: RoutePlan,
        _ bytes: Span<UInt8>
    ) {
        // The session that the visitor has waited for on a page.
        var entry: SessionID?
        if let token {
            let session = SessionID(high: token.sessionHigh, low: token.sessionLow)
            let process = Incarnation(token.process)
            exchanges[exchange].machine.admission.claim = .init(
                session: session, process: process,
                requiresLease: verdict == .expired || process == .toCome)
            if process == .toCome, verdict == .valid { entry = session }
            let age = exchanges.wallClock.seconds &- min(token.issued, exchanges.wallClock.seconds)
            exchanges[exchange].cookieIsCurrent =
                verdict == .valid && age <= routePlan.maxAge / 8
        } else if exchanges[exchange].machine.admission.isSessionless {
            return
        } else if let visitor = visitor(exchange, bytes) {
            exchanges[exchange].visitor = visitor
            exchanges[exchange].machine.sharesPin = routePlan.pin == .always
            claimProvisionalPin(exchange)
        }
        if routePlan.pin == .always {
            exchanges[exchange].machine.admission.newSession = entry ?? freshSession()
        }
    }

    /// Identifies the browser that sent the parsed head, if the HTTP/2 connection is its own; nil:
    /// other users may share the connection.
    private func visitor(_ exchange: Int, _ bytes: Span<UInt8>) -> UInt64? {
        let stream = Int(exchanges[exchange].downstream)
        guard downstreams[stream].carrier.isStream, !downstreams[stream].isTrusted,
            downstreams[stream].address != nil,
            plan.listener(downstreams[stream].listener)?.proxyProtocol == false
        else { return nil }
        let holder = affinityHolder(exchange)
        if exchanges.heads.request.cameThroughProxy(bytes) {
            downstreams[holder].affinity.isShared = true
        }
        if downstreams[holder].affinity.isShared { return nil }
        return max(1, exchanges.heads.request.visitor(bytes))
    }

    /// Claims the session that another request of the browser has just begun.
    func claimProvisionalPin(_ exchange: Int) {
        guard let pin = downstreams[affinityHolder(exchange)].affinity.provisional,
            pin.group == exchanges[exchange].group, pin.until > exchanges.now,
            pin.visitor == exchanges[exchange].visitor
        else { return }
        exchanges[exchange].machine.admission.claim = .init(
            session: pin.session, process: pin.process, isFromClient: false)
    }

    /// Lets the other requests of the browser join the session that a grant has begun.
    ///
    /// The time runs from the pin, not from its last use.
    func rememberProvisionalPin(_ exchange: Int, _ session: SessionID, _ process: Incarnation) {
        guard exchanges[exchange].visitor != 0 else { return }
        let holder = affinityHolder(exchange)
        if let known = downstreams[holder].affinity.provisional, known.session.isSame(as: session) {
            return
        }
        downstreams[holder].affinity.provisional = .init(
            session: session, process: process, group: exchanges[exchange].group,
            visitor: exchanges[exchange].visitor, until: exchanges.now &+ Self.provisionalPin)
    }

    func freshSession() -> SessionID {
        SessionID(
            high: entropy.word(),
            low: SessionNamer.random(low: UInt32(truncatingIfNeeded: entropy.word())))
    }

    /// Verifies a value, or returns the cached result for the same bytes on this connection.
    func verify(_ exchange: Int, _ codec: Int, _ value: Span<UInt8>) -> Verification {
        let downstream = affinityHolder(exchange)
        if value.count == Token.encodedLength,
            downstreams[downstream].affinity.knownCodec == Int32(truncatingIfNeeded: codec),
            downstreams[downstream].affinity.knownAt == exchanges.wallClock.seconds / 64,
            equal(value, downstreams[downstream].affinity.known.span)
        {
            let verdict = downstreams[downstream].affinity.knownVerdict
            let hasToken = verdict == .valid || verdict == .expired
            return Verification(
                verdict: verdict,
                token: hasToken ? downstreams[downstream].affinity.knownToken : nil)
        }
        let result = plan.routes.codecs[codec].codec.verify(
            value, now: exchanges.wallClock.seconds, maxAge: plan.routes.codecs[codec].maxAge)
        if value.count == Token.encodedLength {
            for index in 0..<Token.encodedLength {
                downstreams[downstream].affinity.known[index] = value[index]
            }
            downstreams[downstream].affinity.knownCodec = Int32(truncatingIfNeeded: codec)
            downstreams[downstream].affinity.knownVerdict = result.verdict
            downstreams[downstream].affinity.knownAt = exchanges.wallClock.seconds / 64
            if let token = result.token { downstreams[downstream].affinity.knownToken = token }
        }
        return result
    }

    /// Not constant-time, since both sides came from the client.
    private func equal(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        for index in 0..<one.count where one[index] != other[index] { return false }
        return true
    }
}
