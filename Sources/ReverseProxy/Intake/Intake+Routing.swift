internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings

/// Routing a request by its head.
extension Intake {
    /// Selects the route; returns a response if there is none, or the request cannot be accepted.
    func chooseRoute(_ exchange: Int, _ bytes: Span<UInt8>) -> OwnAnswer? {
        let path = bytes.extracting(exchanges.heads.request.path.range)
        let host = bytes.extracting(exchanges.heads.request.host.range)
        switch RequestPath.form(of: path) {
        case .plain: return chooseRoute(exchange, host: host, path: path)
        case .dotted:
            exchanges[exchange].resolvesPath = true
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
        exchanges[exchange].route = Int32(truncatingIfNeeded: route)
        exchanges[exchange].group = Int32(truncatingIfNeeded: plan.routes.plans[route].group)
        exchanges[exchange].codec = Int32(
            truncatingIfNeeded: plan.routes.plans[route].codec
                + (exchanges[exchange].isSecure ? 1 : 0))
        if plan.routes.plans[route].stripsPrefix {
            exchanges[exchange].prefixLength = plan.routes.table.prefixLength(of: route, in: path)
        }
        if plan.routes.plans[route].hasHealthPath {
            exchanges[exchange].machine.admission.isSessionless = isHealthCheck(
                exchange, route, path)
        }
        if case .length(let length) = exchanges.heads.request.body,
            plan.settings.limits.requestBody > 0,
            length > plan.settings.limits.requestBody
        {
            return .bodyTooLarge
        }
        return nil
    }

    /// Whether the parsed head is a health check of the group's processes.
    ///
    /// A browser that opens the path as a page is an ordinary visitor.
    ///
    /// - Parameter path: as matched, with its query.
    private func isHealthCheck(_ exchange: Int, _ route: Int, _ path: Span<UInt8>) -> Bool {
        guard exchanges.heads.request.method == .get || exchanges.heads.request.method == .head
        else { return false }
        let start = exchanges[exchange].prefixLength
        let length = plan.routes.healthPaths[route].count
        guard path.count >= start + length else { return false }
        for index in 0..<length where path[start + index] != plan.routes.healthPaths[route][index] {
            return false
        }
        let end = start + length
        guard end == path.count || path[end] == UInt8(ascii: "?") else { return false }
        let bytes = unsafe downstreams[Int(exchanges[exchange].downstream)].input.bytes
        return !exchanges.heads.request.asksForPage(bytes)
    }
}
