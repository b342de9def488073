/// How long clients and processes are waited for (`[timeouts]`).
package struct Timeouts: Equatable, Sendable {
    /// The whole request head, from its first byte: 408.
    package var header = Interval.seconds(10)
    /// Between two pieces of a body, and for a client that does not read.
    package var bodyIdle = Interval.seconds(30)
    package var keepalive = Interval.seconds(75)
    package var connect = Interval.seconds(5)
    /// What groups and routes begin with.
    package var route = RouteTimeouts()
    /// At shutdown, for what is in flight; zero: nothing is waited for.
    package var drain = Interval.seconds(30)

    package init() {}
}

/// How long a process is waited for, which each group and each route may say for itself.
package struct RouteTimeouts: Equatable, Sendable {
    /// First byte of the response head: 504.
    package var response = Interval.seconds(60)
    /// Between two pieces of a response.
    package var idle = Interval.seconds(60)
    /// WebSocket and other upgrades: no byte either way.
    package var tunnel = Interval.seconds(3600)

    package init() {}
}

extension RouteTimeouts {
    /// The keys of `timeouts` in a group or a route.
    package static let keys: [Key<RouteTimeouts>] = [
        .duration(
            "response", \.response,
            """
            From the request to the first byte of the response; then the client gets 504. \
            Raise it for pages that take long to make.
            """),
        .duration(
            "idle", \.idle,
            """
            Between two pieces of a response; then it is cut off. Raise it for event streams \
            that are quiet for long.
            """),
        .duration(
            "tunnel", \.tunnel,
            """
            For a WebSocket or another upgrade on which nothing is sent in either direction; \
            then it is closed.
            """),
    ]
}

extension Timeouts {
    /// The keys of `[timeouts]`: those that are for all, and between them what groups and routes begin with.
    package static let keys: [Key<Timeouts>] =
        [
            .duration(
                "header", \.header,
                "For a whole request head, from its first byte; then the client gets 408."),
            .duration(
                "body_idle", \.bodyIdle,
                """
                Between two pieces of a request body, and for a client that does not read \
                its response. See also `limits.min_rate`.
                """),
            .duration(
                "keepalive", \.keepalive,
                """
                How long a client's connection stays open without a request. Keep it above \
                that of a load balancer in front.
                """),
            .duration(
                "connect", \.connect,
                """
                For a connection to a process or server; then another is tried where that is \
                allowed, or the client gets 504.
                """),
        ] + RouteTimeouts.keys.map { $0.at(\.route) } + [
            .duration(
                "drain", \.drain, atLeast: .zero,
                """
                At shutdown, for what is still in flight. Keep it below the service \
                manager's own limit (`TimeoutStopSec=`); `"0"`: nothing is waited for.
                """)
        ]
}
