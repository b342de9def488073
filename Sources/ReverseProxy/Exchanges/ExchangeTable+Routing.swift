internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings

/// Where a request goes, by its head, and what is told of its cookie.
extension ExchangeTable {
    /// Where the parsed head came from, as a trusted proxy says.
    func origin(of place: Int, _ bytes: Span<UInt8>) -> RequestOrigin {
        heads.request.origin(
            in: bytes, peer: downstreams[place].address, isSecure: downstreams[place].isSecure,
            trusted: plan.listener(downstreams[place].listener)?.trusted ?? TrustedNetworks())
    }

    /// Finds the route; an answer where there is none, or the request cannot be taken.
    func chooseRoute(_ exchange: Int, _ bytes: Span<UInt8>) -> OwnAnswer? {
        let path = bytes.extracting(heads.request.path.range)
        let host = bytes.extracting(heads.request.host.range)
        switch RequestPath.form(of: path) {
        case .plain: return chooseRoute(exchange, host: host, path: path)
        case .dotted:
            self[exchange].resolvesPath = true
            let resolved = RequestPath.resolved(path)
            return chooseRoute(exchange, host: host, path: resolved.span)
        case .climbing: return .pathAboveRoot
        case .hidden: return .hiddenDotSegments
        case .backslash: return .backslash
        }
    }

    private func chooseRoute(
        _ exchange: Int, host: Span<UInt8>, path: Span<UInt8>
    ) -> OwnAnswer? {
        guard let route = plan.routes.table.match(host: host, path: path) else { return .noRoute }
        self[exchange].route = Int32(truncatingIfNeeded: route)
        self[exchange].group = Int32(truncatingIfNeeded: plan.routes.plans[route].group)
        self[exchange].codec = Int32(
            truncatingIfNeeded: plan.routes.plans[route].codec + (self[exchange].isSecure ? 1 : 0))
        if plan.routes.plans[route].stripsPrefix {
            self[exchange].prefixLength = plan.routes.table.prefixLength(of: route, in: path)
        }
        if plan.routes.plans[route].hasHealthPath {
            self[exchange].machine.admission.isSessionless = isHealthCheck(
                exchange, route, path)
        }
        if case .length(let length) = heads.request.body, plan.settings.limits.requestBody > 0,
            length > plan.settings.limits.requestBody
        {
            return .bodyTooLarge
        }
        return nil
    }

    /// The registry has decided on a good cookie, whose process may be gone.
    func settleVerdict(_ exchange: Int, isLost: Bool) {
        switch self[exchange].verdict {
        case .valid, .expired: if isLost { self[exchange].verdict = .gone }
        case .none, .forged, .unknownKey, .otherGroup, .gone, .malformed: break
        }
        countVerdict(exchange)
    }

    /// Counts the verdict of a request, once.
    func countVerdict(_ exchange: Int) {
        guard self[exchange].owesVerdict else { return }
        self[exchange].owesVerdict = false
        counters.count(self[exchange].verdict)
    }
}
