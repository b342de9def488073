internal import HTTPTypes

/// One endpoint of the admin API, as its index shows it.
struct Endpoint: Encodable, Sendable {
    enum Name: CaseIterable, Sendable {
        case index
        case health
        case readiness
        case stats
        case groupStats
        case metrics
        case restart
        case scale
        case reset
        case drain
        case stop
        case up
        case reload
    }

    var method: String
    var path: String
    var summary: String

    static func of(_ name: Name) -> Endpoint {
        switch name {
        case .index: Endpoint(path: "/", summary: "this list")
        case .health:
            Endpoint(
                path: "/healthz",
                summary: "200 while every loop takes its turns, else 503 with the reasons")
        case .readiness:
            Endpoint(
                path: "/readyz",
                summary:
                    "200 when every group would place a new session at once, else 503 with the reasons"
            )
        case .stats: Endpoint(path: "/stats", summary: "everything as JSON")
        case .groupStats: Endpoint(path: "/stats/{group}", summary: "one group as JSON")
        case .metrics: Endpoint(path: "/metrics", summary: "Prometheus text format")
        case .restart:
            Endpoint(
                method: .post, path: "/groups/{group}/restart",
                summary: "a new generation; old sessions stay where they are")
        case .scale:
            Endpoint(
                method: .post, path: "/groups/{group}/scale",
                summary: #"{"min":1,"max":4}: how many processes, until the next reload"#)
        case .reset:
            Endpoint(
                method: .post, path: "/groups/{group}/reset",
                summary: "forget failed starts and their back-off")
        case .drain:
            Endpoint(
                method: .post, path: "/processes/{process}/drain",
                summary: #"no new sessions; {"timeout_seconds":60} limits the wait for the old"#)
        case .stop:
            Endpoint(
                method: .post, path: "/processes/{process}/stop",
                summary: "end a process now, its sessions with it")
        case .up:
            Endpoint(
                method: .post, path: "/processes/{process}/up",
                summary: "put a server back into service that was drained or stopped, or is down")
        case .reload:
            Endpoint(
                method: .post, path: "/reload",
                summary: "read the configuration again and apply what has changed")
        }
    }

    private init(method: HTTPRequest.Method = .get, path: String, summary: String) {
        self.method = method.rawValue
        self.path = path
        self.summary = summary
    }

    /// Whether a path needs no token: load balancers and orchestrators poll it.
    static func isOpen(_ path: String) -> Bool {
        path == of(.health).path || path == of(.readiness).path
    }

    /// Whether it changes something.
    var isCommand: Bool { method == HTTPRequest.Method.post.rawValue }

    /// The methods of a path; empty: the path does not exist.
    static func methods(of path: String) -> [HTTPRequest.Method] {
        guard let found = Name.allCases.map(of).first(where: { $0.matches(path) }) else {
            return []
        }
        return found.isCommand ? [.post] : [.get, .head]
    }

    private func matches(_ other: String) -> Bool {
        let own = path.split(separator: "/")
        let given = other.split(separator: "/")
        guard own.count == given.count else { return false }
        return zip(own, given).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
