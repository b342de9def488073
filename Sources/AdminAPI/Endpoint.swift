internal import HTTPTypes

/// One address of the admin API, as its index shows it.
struct Endpoint: Encodable, Sendable {
    enum Name: CaseIterable, Sendable {
        case index
        case health
        case readiness
        case stats
        case groupStats
        case metrics
    }

    var method: String
    var path: String
    var summary: String

    static func of(_ name: Name) -> Endpoint {
        switch name {
        case .index: Endpoint(path: "/", summary: "this list")
        case .health: Endpoint(path: "/healthz", summary: "200 while Mooring runs")
        case .readiness:
            Endpoint(
                path: "/readyz",
                summary: "200 when every group has a ready process, else 503 with the reasons")
        case .stats: Endpoint(path: "/stats", summary: "everything as JSON")
        case .groupStats: Endpoint(path: "/stats/{group}", summary: "one group as JSON")
        case .metrics: Endpoint(path: "/metrics", summary: "Prometheus text format")
        }
    }

    private init(method: HTTPRequest.Method = .get, path: String, summary: String) {
        self.method = method.rawValue
        self.path = path
        self.summary = summary
    }

    /// Whether a path is answered without the token: load balancers and orchestrators ask there.
    static func isOpen(_ path: String) -> Bool {
        path == of(.health).path || path == of(.readiness).path
    }

    /// The methods of a path; empty: there is nothing.
    static func methods(of path: String) -> [HTTPRequest.Method] {
        guard Name.allCases.contains(where: { of($0).matches(path) }) else { return [] }
        return [.get, .head]
    }

    private func matches(_ other: String) -> Bool {
        let own = path.split(separator: "/")
        let given = other.split(separator: "/")
        guard own.count == given.count else { return false }
        return zip(own, given).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
