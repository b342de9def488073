internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// A response's effect on its session, and the resulting cookie.
extension Sessions {
    /// Applies the response's `Mooring-Pin`; called once its head is parsed.
    func followPinDirective(_ exchange: Int) {
        guard let grant = exchanges[exchange].machine.grant,
            !exchanges[exchange].machine.admission.isSessionless
        else { return }
        let group = plan.groups[Int(exchanges[exchange].group)]
        let route = Int(exchanges[exchange].route)
        switch exchanges.heads.response.pinDirective {
        case .none: followLearnedCookies(exchange, grant, route)
        case .unknown(let value):
            logUnknownPin(exchange, value)
            followLearnedCookies(exchange, grant, route)
        case .pin:
            if grant.session == nil { startSession(exchange, grant) }
        case .release, .move:
            endSession(exchange, grant)
        case .hold(let seconds):
            guard let session = grant.session else { return }
            group.holdSession(session, idle: .seconds(Int64(seconds)), now: exchanges.instant)
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

    /// Without this, a typing error would leave no trace: the field is removed from the response.
    private func logUnknownPin(_ exchange: Int, _ value: ByteRange) {
        let readable = unsafe upstreams[exchanges.upstream(of: exchange)].input.readable
        let text = unsafe String(
            decoding: UnsafeRawBufferPointer(readable)[value.range].prefix(40), as: UTF8.self)
        logThrottle.note(
            .pinDirective, of: Int(exchanges[exchange].group), now: exchanges.now,
            "group \(plan.groups[Int(exchanges[exchange].group)].name) answers with 'Mooring-Pin: "
                + "\(text)', which is ignored; known are pin, release, move and hold=DURATION (s, m or h)"
        )
    }

    /// A session begins on the process that answers: the user's, if one is named.
    func startSession(_ exchange: Int, _ grant: Grant) {
        let claimed = exchanges[exchange].machine.admission.claim?.session
        start(
            claimed?.isNamed == true ? claimed ?? freshSession() : freshSession(), exchange, grant)
    }

    func start(_ session: SessionID, _ exchange: Int, _ grant: Grant) {
        let group = plan.groups[Int(exchanges[exchange].group)]
        guard group.pin(session, of: grant, now: exchanges.instant) else { return }
        exchanges[exchange].machine.beginSession(session)
    }

    /// A session was refused because its process is gone: one that has a name could otherwise not
    /// begin anew.
    func endLost(_ exchange: Int) {
        guard let claim = exchanges[exchange].machine.admission.claim, claim.session.isNamed
        else { return }
        plan.groups[Int(exchanges[exchange].group)].endSession(
            claim.session, now: exchanges.instant)
    }

    /// The session ends, or must be placed again: the client's cookie is deleted.
    func endSession(_ exchange: Int, _ grant: Grant) {
        guard let session = grant.session else { return }
        plan.groups[Int(exchanges[exchange].group)].endSession(session, now: exchanges.instant)
        downstreams[affinityHolder(exchange)].affinity.provisional = nil
        exchanges[exchange].forgetsCookie = true
    }

    /// The response's effect on learned cookies: setting one takes precedence over deleting one,
    /// and only the deletion of the one that identifies the session counts.
    private func learnedCookies(_ exchange: Int, _ route: Int) -> CookieChange {
        guard exchanges.heads.response.setsCookies else { return .none }
        exchanges.wallClock.refresh(turn: exchanges.now)
        let bytes = unsafe upstreams[exchanges.upstream(of: exchange)].input.bytes
        var change = CookieChange.none
        let from = Int(exchanges[exchange].learnedFrom)
        for (index, name) in plan.routes.learn[route].enumerated() {
            switch exchanges.heads.response.change(
                ofCookie: name, in: bytes, at: Int64(exchanges.wallClock.seconds))
            {
            case .none: continue
            case .set: return .set
            case .deleted: if from < 0 || from == index { change = .deleted }
            }
        }
        return change
    }

    /// The `Set-Cookie` field for the client; empty: none.
    func cookieField(_ exchange: Int) -> [UInt8] {
        guard let grant = exchanges[exchange].machine.grant, let session = grant.session,
            !exchanges[exchange].machine.admission.isSessionless
        else { return [] }
        let codec = Int(exchanges[exchange].codec)
        if exchanges[exchange].forgetsCookie { return plan.routes.codecs[codec].forgetField }
        if exchanges[exchange].cookieIsCurrent,
            let claim = exchanges[exchange].machine.admission.claim,
            claim.session.isSame(as: session), claim.process.value == grant.incarnation.value
        {
            return []
        }
        rememberProvisionalPin(exchange, session, grant.incarnation)
        return cookieField(of: session, on: grant.incarnation, exchange)
    }

    /// The `Set-Cookie` field for a session and its process.
    func cookieField(
        of session: SessionID, on process: Incarnation, _ exchange: Int
    ) -> [UInt8] {
        let codec = Int(exchanges[exchange].codec)
        let downstream = affinityHolder(exchange)
        exchanges.wallClock.refresh(turn: exchanges.now)
        mint(session, process, codec, downstream)
        plan.routes.codecs[codec].setValue(downstreams[downstream].affinity.minted)
        return plan.routes.codecs[codec].field
    }

    /// Signs a token, or reuses the one that this connection signed within the last minute.
    func mint(
        _ session: SessionID, _ process: Incarnation, _ codec: Int, _ downstream: Int
    ) {
        let last = downstreams[downstream].affinity.mintedToken
        let isSame =
            last.sessionHigh == session.high && last.sessionLow == session.low
            && last.process == process.value
        if isSame, downstreams[downstream].affinity.mintedCodec == Int32(truncatingIfNeeded: codec),
            exchanges.wallClock.seconds &- last.issued < 60
        {
            return
        }
        let token = Token(
            issued: exchanges.wallClock.seconds, sessionHigh: session.high, sessionLow: session.low,
            process: process.value)
        var value = InlineArray<56, UInt8>(repeating: 0)
        var bytes = value.mutableSpan
        plan.routes.codecs[codec].codec.encode(token, into: &bytes)
        downstreams[downstream].affinity.minted = value
        downstreams[downstream].affinity.mintedToken = token
        downstreams[downstream].affinity.mintedCodec = Int32(truncatingIfNeeded: codec)
    }
}
