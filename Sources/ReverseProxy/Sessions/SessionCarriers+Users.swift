internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import SessionAffinity

/// One session for each user that a trusted proxy names, whatever the browser.
///
/// The session's id is a keyed hash of the name: the registry finds the process by it. The cookie is
/// set as well: it leads a browser back where the registry has forgotten the session.
extension SessionCarriers {
    func readUser(_ exchange: Int, _ bytes: Span<UInt8>) {
        sessions.readClaim(exchange, bytes)
        let claimed = exchanges[exchange].machine.admission.claim
        guard let user = user(exchange, bytes) else {
            // The browser still has the cookie of a user who is not named any more.
            if let claimed, claimed.session.isNamed { forgetClaim(exchange) }
            return
        }
        exchanges[exchange].visitor = 0
        exchanges[exchange].machine.sharesPin = false
        if claimed?.session.isSame(as: user) != true {
            forgetClaim(exchange)
            exchanges[exchange].machine.admission.claim = .init(named: user)
        }
        if exchanges[exchange].machine.admission.newSession != nil {
            exchanges[exchange].machine.admission.newSession = user
        }
    }

    /// Ignores the cookie: it belongs to another user.
    private func forgetClaim(_ exchange: Int) {
        exchanges[exchange].machine.admission.claim = nil
        exchanges[exchange].cookieIsCurrent = false
        switch exchanges[exchange].verdict {
        case .valid, .expired: exchanges[exchange].verdict = .none
        case .none, .forged, .unknownKey, .otherGroup, .gone, .malformed: break
        }
    }

    /// The session of the user whom the parsed head names; nil: none is named, or by nobody who
    /// may.
    private func user(_ exchange: Int, _ bytes: Span<UInt8>) -> SessionID? {
        guard downstreams[Int(exchanges[exchange].downstream)].isTrusted else { return nil }
        let codec = Int(exchanges[exchange].codec)
        let name = plan.routes.codecs[codec].userField
        guard
            let field = exchanges.heads.request.fields.only(
                name.span, in: bytes, orForwarded: true)
        else { return nil }
        let value = exchanges.heads.request.fields[field].value.range
        return value.isEmpty ? nil : plan.routes.codecs[codec].session(of: bytes.extracting(value))
    }
}

extension SessionID {
    /// A name gave it, not chance.
    var isNamed: Bool { SessionNamer.isNamed(low: low) }
}

extension AdmissionRequest.Claim {
    /// A session that only the registry can find, by its name.
    init(named session: SessionID) {
        self.init(session: session, process: Incarnation(.max), requiresLease: true)
    }
}
