internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// Sessions on the wire: which one a request claims, and the cookie that its response sets.
extension ExchangeTable {
    /// How long the first requests of a connection share one pin (design, placement rule 6).
    private static let provisionalPin: Int64 = 5_000_000_000
    /// How many cookies of ours are verified of one request, over all its fields: a client has one, and
    /// whoever sends more pays for them.
    private static let maximumVerifications = 8

    /// Reads the cookies of the parsed head into the exchange's claim.
    func readClaim(_ exchange: Int, _ bytes: Span<UInt8>) {
        let route = Int(self[exchange].route)
        let routePlan = plan.routes.plans[route]
        if routePlan.pin == .never || heads.request.isPreflight(bytes) {
            self[exchange].machine.admission.isSessionless = true
        }
        wallClock.refresh(turn: now)
        let codec = Int(self[exchange].codec)
        let name = plan.routes.codecs[codec].cookieName

        var best: Token?
        var bestVerdict = Verdict.none
        var verified = 0
        for index in 0..<heads.request.fields.count {
            // Not `==`, which is a call into the library for enumerations of other modules.
            guard case .cookie = heads.request.fields[index].known else { continue }
            let value = heads.request.fields[index].value.range
            var scanner = CookieScanner(value)
            while verified < Self.maximumVerifications,
                let given = scanner.next(in: bytes, named: name.span)
            {
                verified += 1
                let found = verify(exchange, codec, bytes.extracting(given))
                (best, bestVerdict) = Self.better((best, bestVerdict), found)
            }
        }
        self[exchange].verdict = bestVerdict
        if routePlan.pin == .app { self[exchange].learnedFrom = learnedFrom(route, bytes) }
        claim(exchange, best, bestVerdict, routePlan, bytes)
    }

    private func learnedFrom(_ route: Int, _ bytes: Span<UInt8>) -> Int32 {
        for (index, name) in plan.routes.learn[route].enumerated()
        where heads.request.carries(cookie: name, in: bytes) {
            return Int32(truncatingIfNeeded: index)
        }
        return -1
    }

    /// The newest valid value wins; then one that is merely old; then the last reason for refusal.
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

    /// The connection whose memory of cookies and pins counts: of a stream, the one that carries it.
    func affinityHolder(_ exchange: Int) -> Int {
        let downstream = Int(self[exchange].downstream)
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
        var place: SessionID?
        if let token {
            let session = SessionID(high: token.sessionHigh, low: token.sessionLow)
            let process = Incarnation(token.process)
            self[exchange].machine.admission.claim = .init(
                session: session, process: process,
                requiresLease: verdict == .expired || process == .toCome)
            if process == .toCome, verdict == .valid { place = session }
            let age = wallClock.seconds &- min(token.issued, wallClock.seconds)
            self[exchange].cookieIsCurrent =
                verdict == .valid && age <= routePlan.maxAge / 8
        } else if self[exchange].machine.admission.isSessionless {
            return
        } else if let visitor = visitor(exchange, bytes) {
            self[exchange].visitor = visitor
            self[exchange].machine.sharesPin = routePlan.pin == .always
            claimProvisionalPin(exchange)
        }
        if routePlan.pin == .always {
            self[exchange].machine.admission.newSession = place ?? freshSession()
        }
    }

    /// Who sends the parsed head, if it is a browser on a connection of HTTP/2 of its own; nil: whoever it
    /// is, others may send on the same connection.
    private func visitor(_ exchange: Int, _ bytes: Span<UInt8>) -> UInt64? {
        let stream = Int(self[exchange].downstream)
        guard downstreams[stream].carrier.isStream, !downstreams[stream].isTrusted,
            downstreams[stream].address != nil,
            plan.listener(downstreams[stream].listener)?.proxyProtocol == false
        else { return nil }
        let holder = affinityHolder(exchange)
        if heads.request.cameThroughProxy(bytes) { downstreams[holder].affinity.isShared = true }
        if downstreams[holder].affinity.isShared { return nil }
        return max(1, heads.request.visitor(bytes))
    }

    /// Claims the session that another request of the browser has just begun.
    func claimProvisionalPin(_ exchange: Int) {
        guard let pin = downstreams[affinityHolder(exchange)].affinity.provisional,
            pin.group == self[exchange].group, pin.until > now,
            pin.visitor == self[exchange].visitor
        else { return }
        self[exchange].machine.admission.claim = .init(
            session: pin.session, process: pin.process, isFromClient: false)
    }

    /// Lets the other requests of the browser have the session that a grant has begun.
    ///
    /// The time runs from the pin, not from its last use.
    func rememberProvisionalPin(_ exchange: Int, _ session: SessionID, _ process: Incarnation) {
        guard self[exchange].visitor != 0 else { return }
        let holder = affinityHolder(exchange)
        if let known = downstreams[holder].affinity.provisional, known.session.isSame(as: session) {
            return
        }
        downstreams[holder].affinity.provisional = .init(
            session: session, process: process, group: self[exchange].group,
            visitor: self[exchange].visitor, until: now &+ Self.provisionalPin)
    }

    private func freshSession() -> SessionID {
        SessionID(high: entropy.word(), low: UInt32(truncatingIfNeeded: entropy.word()))
    }

    /// Verifies a value, or remembers what came of the same bytes on this connection.
    private func verify(_ exchange: Int, _ codec: Int, _ value: Span<UInt8>) -> Verification {
        let downstream = affinityHolder(exchange)
        if value.count == Token.encodedLength,
            downstreams[downstream].affinity.knownCodec == Int32(truncatingIfNeeded: codec),
            downstreams[downstream].affinity.knownAt == wallClock.seconds / 64,
            equal(value, downstreams[downstream].affinity.known.span)
        {
            let verdict = downstreams[downstream].affinity.knownVerdict
            let hasToken = verdict == .valid || verdict == .expired
            return Verification(
                verdict: verdict,
                token: hasToken ? downstreams[downstream].affinity.knownToken : nil)
        }
        let result = plan.routes.codecs[codec].codec.verify(
            value, now: wallClock.seconds, maxAge: plan.routes.codecs[codec].maxAge)
        if value.count == Token.encodedLength {
            for index in 0..<Token.encodedLength {
                downstreams[downstream].affinity.known[index] = value[index]
            }
            downstreams[downstream].affinity.knownCodec = Int32(truncatingIfNeeded: codec)
            downstreams[downstream].affinity.knownVerdict = result.verdict
            downstreams[downstream].affinity.knownAt = wallClock.seconds / 64
            if let token = result.token { downstreams[downstream].affinity.knownToken = token }
        }
        return result
    }

    /// Not a secret compare: both sides came from the client.
    private func equal(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        for index in 0..<one.count where one[index] != other[index] { return false }
        return true
    }

    /// What the response says of the session; called once its head is parsed.
    func followPinDirective(_ exchange: Int) {
        guard let grant = self[exchange].machine.grant,
            !self[exchange].machine.admission.isSessionless
        else { return }
        let group = plan.groups[Int(self[exchange].group)]
        let route = Int(self[exchange].route)
        switch heads.response.pinDirective {
        case .none: followLearnedCookies(exchange, grant, route)
        case .unknown(let value):
            tellOfUnknownPin(exchange, value)
            followLearnedCookies(exchange, grant, route)
        case .pin:
            if grant.session == nil { startSession(exchange, grant) }
        case .release, .move:
            endSession(exchange, grant)
        case .hold(let seconds):
            guard let session = grant.session else { return }
            group.holdSession(session, idle: .seconds(Int64(seconds)), now: instant)
        }
    }

    private func followLearnedCookies(_ exchange: Int, _ grant: Grant, _ route: Int) {
        guard plan.routes.plans[route].pin == .app else { return }
        switch learnedCookies(exchange, route) {
        case .none: return
        case .set: if grant.session == nil { startSession(exchange, grant) }
        case .deleted: endSession(exchange, grant)
        }
    }

    /// A typing error would otherwise leave no trace: the field is taken out of the response.
    private func tellOfUnknownPin(_ exchange: Int, _ value: ByteRange) {
        let readable = unsafe upstreams[upstream(of: exchange)].input.readable
        let text = unsafe String(
            decoding: UnsafeRawBufferPointer(readable)[value.range].prefix(40), as: UTF8.self)
        mishaps.note(
            .pinDirective, now: now,
            "group \(plan.groups[Int(self[exchange].group)].name) answers with 'Mooring-Pin: "
                + "\(text)', which is ignored; known are pin, release, move and hold=DURATION (s, m or h)"
        )
    }

    private func startSession(_ exchange: Int, _ grant: Grant) {
        let session = freshSession()
        plan.groups[Int(self[exchange].group)].pin(session, of: grant, now: instant)
        self[exchange].machine.beginSession(session)
    }

    /// The session is over, or is to be placed anew: the client is to forget its cookie.
    private func endSession(_ exchange: Int, _ grant: Grant) {
        guard let session = grant.session else { return }
        plan.groups[Int(self[exchange].group)].endSession(session, now: instant)
        downstreams[affinityHolder(exchange)].affinity.provisional = nil
        self[exchange].forgetsCookie = true
    }

    /// What the response does to the cookies that sessions are learned from: one that is set counts for
    /// more than one that is deleted, and of those only the one that the session is known by.
    private func learnedCookies(_ exchange: Int, _ route: Int) -> CookieChange {
        guard heads.response.setsCookies else { return .none }
        wallClock.refresh(turn: now)
        let readable = unsafe upstreams[upstream(of: exchange)].input.readable
        let bytes = unsafe readable.span
        var change = CookieChange.none
        let from = Int(self[exchange].learnedFrom)
        for (index, name) in plan.routes.learn[route].enumerated() {
            switch heads.response.change(
                ofCookie: name, in: bytes, at: Int64(wallClock.seconds))
            {
            case .none: continue
            case .set: return .set
            case .deleted: if from < 0 || from == index { change = .deleted }
            }
        }
        return change
    }

    /// The `Set-Cookie` field that the client needs; empty: none.
    func cookieField(_ exchange: Int) -> [UInt8] {
        guard let grant = self[exchange].machine.grant, let session = grant.session,
            !self[exchange].machine.admission.isSessionless
        else { return [] }
        let codec = Int(self[exchange].codec)
        if self[exchange].forgetsCookie { return plan.routes.codecs[codec].forgetField }
        if self[exchange].cookieIsCurrent,
            let claim = self[exchange].machine.admission.claim,
            claim.session.isSame(as: session), claim.process.value == grant.incarnation.value
        {
            return []
        }
        rememberProvisionalPin(exchange, session, grant.incarnation)
        return cookieField(of: session, on: grant.incarnation, exchange)
    }

    /// The `Set-Cookie` field that names a session and its process.
    func cookieField(
        of session: SessionID, on process: Incarnation, _ exchange: Int
    ) -> [UInt8] {
        let codec = Int(self[exchange].codec)
        let downstream = affinityHolder(exchange)
        wallClock.refresh(turn: now)
        mint(session, process, codec, downstream)
        plan.routes.codecs[codec].setValue(downstreams[downstream].affinity.minted)
        return plan.routes.codecs[codec].field
    }

    /// Makes the cookie value, or keeps the one that this connection made within the last minute.
    private func mint(
        _ session: SessionID, _ process: Incarnation, _ codec: Int, _ downstream: Int
    ) {
        let last = downstreams[downstream].affinity.mintedToken
        let isSame =
            last.sessionHigh == session.high && last.sessionLow == session.low
            && last.process == process.value
        if isSame, downstreams[downstream].affinity.mintedCodec == Int32(truncatingIfNeeded: codec),
            wallClock.seconds &- last.issued < 60
        {
            return
        }
        let token = Token(
            issued: wallClock.seconds, sessionHigh: session.high, sessionLow: session.low,
            process: process.value)
        var value = InlineArray<56, UInt8>(repeating: 0)
        var bytes = value.mutableSpan
        plan.routes.codecs[codec].codec.encode(token, into: &bytes)
        downstreams[downstream].affinity.minted = value
        downstreams[downstream].affinity.mintedToken = token
        downstreams[downstream].affinity.mintedCodec = Int32(truncatingIfNeeded: codec)
    }
}
