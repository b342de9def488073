internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// Sessions by what carries them: Mooring's cookie, the user that a proxy names, a field of the
/// application, or an id of it in the request's target.
///
/// Belongs to the loop's thread. Extensions: all but the cookie.
final class SessionCarriers {
    let exchanges: ExchangeTable
    let downstreams: Downstreams
    let upstreams: Upstreams
    let plan: Plan
    let sessions: Sessions

    init(_ owners: Owners, sessions: Sessions) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        upstreams = owners.upstreams
        plan = owners.plan
        self.sessions = sessions
    }

    /// Reads what the parsed head carries into the exchange's claim.
    @inline(__always)
    func readClaim(_ exchange: Int, _ bytes: Span<UInt8>) {
        switch plan.routes.plans[Int(exchanges[exchange].route)].carrier {
        case .cookie: sessions.readClaim(exchange, bytes)
        case .user: readUser(exchange, bytes)
        case .field: readEnvelope(exchange, bytes)
        case .id: readID(exchange, bytes)
        }
    }

    /// Applies what a response says about its session; called once its head is parsed.
    @inline(__always)
    func followHead(_ exchange: Int) {
        let route = plan.routes.plans[Int(exchanges[exchange].route)]
        switch route.carrier {
        case .cookie, .user: sessions.followPinDirective(exchange)
        case .field: followEnvelope(exchange)
        case .id: followID(exchange)
        }
        if route.issuesIDs { learnLocation(exchange) }
    }

    /// The line that tells the client its session, in place of any line of the process; empty:
    /// none.
    @inline(__always)
    func sessionField(_ exchange: Int) -> [UInt8] {
        switch plan.routes.plans[Int(exchanges[exchange].route)].carrier {
        case .cookie, .user: sessions.cookieField(exchange)
        case .field: envelopeField(exchange)
        case .id: []
        }
    }

    /// Takes out of the parsed head, about to be sent, what may not speak for a user.
    func dropUserClaims(_ exchange: Int, _ bytes: Span<UInt8>) {
        let name = plan.routes.codecs[Int(exchanges[exchange].codec)].userField
        exchanges.heads.request.dropClaims(
            of: name.span,
            isTrusted: downstreams[Int(exchanges[exchange].downstream)].isTrusted, in: bytes)
    }
}
