internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity

/// Sessions by an id of the application in the request's target, such as Socket.IO's `sid`.
///
/// The session's id is a keyed hash of it, and the registry's table of sessions is the memory of
/// which process has which. An id is learned where its process issues it: from a `Location`, or from
/// the beginning of the body in which a parameter's value is announced; and where it is used with
/// success, which only the process that knows it can.
extension SessionCarriers {
    func readID(_ exchange: Int, _ bytes: Span<UInt8>) {
        sessions.noteSessionless(exchange, bytes)
        let codec = Int(exchanges[exchange].codec)
        let path = bytes.extracting(exchanges.heads.request.path.range)
        let session: SessionID?
        if exchanges[exchange].resolvesPath {
            let resolved = RequestPath.resolved(path)
            session = plan.routes.codecs[codec].session(in: resolved.span)
        } else {
            session = plan.routes.codecs[codec].session(in: path)
        }
        if let session { exchanges[exchange].machine.admission.claim = .init(named: session) }
    }

    func followID(_ exchange: Int) {
        guard let grant = exchanges[exchange].machine.grant,
            !exchanges[exchange].machine.admission.isSessionless
        else { return }
        let status = exchanges.heads.response.status
        let isSuccess = status < 400
        if grant.affinity == .lost, !isSuccess { return sessions.endSession(exchange, grant) }
        switch exchanges.heads.response.pinDirective {
        case .release, .move: return sessions.followPinDirective(exchange)
        case .none, .pin, .hold, .unknown: break
        }
        if let claim = exchanges[exchange].machine.admission.claim {
            if grant.session == nil, isSuccess {
                sessions.start(claim.session, exchange, grant)
            }
        } else {
            exchanges[exchange].announcesID =
                isSuccess && plan.routes.codecs[Int(exchanges[exchange].codec)].parameter != nil
        }
        switch exchanges.heads.response.pinDirective {
        case .hold, .unknown: sessions.followPinDirective(exchange)
        case .none, .pin, .release, .move: break
        }
    }

    /// Looks for an id in the first piece of a body.
    func learnBody(_ exchange: Int, _ piece: Span<UInt8>) {
        exchanges[exchange].announcesID = false
        let codec = Int(exchanges[exchange].codec)
        guard let grant = exchanges[exchange].machine.grant,
            let name = plan.routes.codecs[codec].parameter,
            let value = IssuedID.find(name.span, in: piece)
        else { return }
        learn(plan.routes.codecs[codec].session(of: piece.extracting(value)), exchange, grant)
    }

    /// Looks for an id in the parsed head's `Location`, which may lead to another route of the group.
    func learnLocation(_ exchange: Int) {
        let bytes = unsafe upstreams[exchanges.upstream(of: exchange)].input.bytes
        guard let grant = exchanges[exchange].machine.grant,
            let field = exchanges.heads.response.location(bytes)
        else { return }
        let value = bytes.extracting(exchanges.heads.response.fields[field].value.range)
        guard let leads = LocationTarget(value) else { return }
        let target = value.extracting(leads.target)
        let route: Int?
        if leads.host.isEmpty {
            let head = unsafe downstreams[Int(exchanges[exchange].downstream)].input.wholeBytes
                .extracting(..<exchanges[exchange].headLength)
            let fields = LoggedFields(head, requestLine: exchanges[exchange].requestLine.range)
            route = plan.routes.table.match(
                host: head.extracting(fields.host ?? 0..<0), path: target)
        } else {
            route = plan.routes.table.match(host: value.extracting(leads.host), path: target)
        }
        guard let route, plan.routes.plans[route].group == Int(exchanges[exchange].group),
            plan.routes.plans[route].carrier == .id,
            let session = plan.routes.codecs[plan.routes.plans[route].codec].session(in: target)
        else { return }
        learn(session, exchange, grant)
    }

    /// The process of a grant has issued a session's id.
    private func learn(_ session: SessionID, _ exchange: Int, _ grant: Grant) {
        if exchanges[exchange].machine.admission.isSessionless || grant.session != nil {
            let group = plan.groups[Int(exchanges[exchange].group)]
            group.begin(session, beside: grant, now: exchanges.instant)
        } else {
            sessions.start(session, exchange, grant)
        }
    }
}
