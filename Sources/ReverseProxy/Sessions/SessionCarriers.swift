internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import SessionAffinity
internal import Settings

/// Sessions by what carries them: Mooring's cookie, or a field of the application.
///
/// Belongs to the loop's thread. Extension: a token in a field of the application.
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
        case .field: readEnvelope(exchange, bytes)
        }
    }

    /// Applies what a response says about its session; called once its head is parsed.
    @inline(__always)
    func followHead(_ exchange: Int) {
        switch plan.routes.plans[Int(exchanges[exchange].route)].carrier {
        case .cookie: sessions.followPinDirective(exchange)
        case .field: followEnvelope(exchange)
        }
    }

    /// The line that tells the client its session, in place of any line of the process; empty:
    /// none.
    @inline(__always)
    func sessionField(_ exchange: Int) -> [UInt8] {
        switch plan.routes.plans[Int(exchanges[exchange].route)].carrier {
        case .cookie: sessions.cookieField(exchange)
        case .field: envelopeField(exchange)
        }
    }
}
