internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import SessionAffinity

/// A session in a field of the application, such as `Mcp-Session-Id`: the token stands behind the
/// application's own value (`TokenEnvelope`), which the process never sees.
///
/// Clients treat the value as opaque and send the first that they got, so the token is never
/// renewed: it is valid for as long as its process lives.
extension SessionCarriers {
    func readEnvelope(_ exchange: Int, _ bytes: Span<UInt8>) {
        sessions.noteSessionless(exchange, bytes)
        let codec = Int(exchanges[exchange].codec)
        let name = plan.routes.codecs[codec].fieldName
        guard let field = exchanges.heads.request.fields.only(name.span, in: bytes)
        else { return }
        let value = exchanges.heads.request.fields[field].value.range
        guard let length = TokenEnvelope.idLength(of: bytes.extracting(value)) else { return }
        let mark = value.lowerBound + length
        exchanges[exchange].token = ByteRange(mark..<value.upperBound)
        exchanges.wallClock.refresh(turn: exchanges.now)
        let found = sessions.verify(
            exchange, codec, bytes.extracting(mark + 1..<value.upperBound))
        exchanges[exchange].verdict = found.verdict
        guard let token = found.token else { return }
        exchanges[exchange].cookieIsCurrent = found.verdict == .valid
        exchanges[exchange].machine.admission.claim = .init(
            session: SessionID(high: token.sessionHigh, low: token.sessionLow),
            process: Incarnation(token.process), requiresLease: found.verdict == .expired)
    }

    /// A session begins with the response that sets the field, and ends as the application says.
    func followEnvelope(_ exchange: Int) {
        guard let grant = exchanges[exchange].machine.grant,
            !exchanges[exchange].machine.admission.isSessionless
        else { return }
        if isOver(exchange, grant) { return sessions.endSession(exchange, grant) }
        switch exchanges.heads.response.pinDirective {
        case .release, .move: sessions.followPinDirective(exchange)
        case .pin: beginEnvelope(exchange, grant)
        case .none, .hold, .unknown:
            beginEnvelope(exchange, grant)
            sessions.followPinDirective(exchange)
        }
    }

    /// Without the field, the client could not be told of its session.
    private func beginEnvelope(_ exchange: Int, _ grant: Grant) {
        guard grant.session == nil, envelope(exchange) != nil else { return }
        sessions.startSession(exchange, grant)
    }

    /// Whether the response says that there is no such session: in the words of MCP, or in those
    /// of a process that does not know the session of another one.
    private func isOver(_ exchange: Int, _ grant: Grant) -> Bool {
        let status = exchanges.heads.response.status
        if grant.affinity == .lost { return (400..<500).contains(status) }
        return exchanges[exchange].method == .delete && (200..<300).contains(status)
            && plan.routes.codecs[Int(exchanges[exchange].codec)].isMCP
    }

    /// The response's line of the field, if a token can stand behind its value.
    private func envelope(_ exchange: Int) -> Int? {
        let bytes = unsafe upstreams[exchanges.upstream(of: exchange)].input.bytes
        let name = plan.routes.codecs[Int(exchanges[exchange].codec)].fieldName
        guard let field = exchanges.heads.response.fields.only(name.span, in: bytes),
            TokenEnvelope.takes(
                bytes.extracting(exchanges.heads.response.fields[field].value.range))
        else { return nil }
        return field
    }

    func envelopeField(_ exchange: Int) -> [UInt8] {
        guard let grant = exchanges[exchange].machine.grant, let session = grant.session,
            !exchanges[exchange].machine.admission.isSessionless,
            !exchanges[exchange].forgetsCookie, let field = envelope(exchange)
        else { return [] }
        let downstream = Int(exchanges[exchange].downstream)
        let codec = Int(exchanges[exchange].codec)
        let response = unsafe upstreams[exchanges.upstream(of: exchange)].input.bytes
        let line = exchanges.heads.response.takeOut(field).range
        if exchanges[exchange].cookieIsCurrent,
            let claim = exchanges[exchange].machine.admission.claim,
            claim.session.isSame(as: session), claim.process.value == grant.incarnation.value
        {
            // The value that the client has stays as it is.
            let request = unsafe downstreams[downstream].input.wholeBytes
            let token = exchanges[exchange].token.range
            plan.routes.codecs[codec].setLine(
                response.extracting(line),
                request.extracting(token.lowerBound + 1..<token.upperBound))
        } else {
            let holder = sessions.affinityHolder(exchange)
            sessions.mint(session, grant.incarnation, codec, holder)
            plan.routes.codecs[codec].setLine(
                response.extracting(line), downstreams[holder].affinity.minted.span)
        }
        return plan.routes.codecs[codec].field
    }
}
