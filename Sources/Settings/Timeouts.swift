/// How long the data plane waits for clients and processes (`[timeouts]`).
package struct Timeouts: Equatable, Sendable {
    /// For the whole request head, from its first byte; then 408.
    package var header = Interval.seconds(10)
    /// Between two reads of a request body, and for a client that does not read its response.
    package var bodyIdle = Interval.seconds(30)
    package var keepalive = Interval.seconds(75)
    package var connect = Interval.seconds(5)
    /// The defaults of groups and routes.
    package var route = RouteTimeouts()
    /// At shutdown, for requests in flight; zero: shutdown does not wait.
    package var drain = Interval.seconds(30)

    package init() {}
}

/// How long the data plane waits for a process; groups and routes can override it.
package struct RouteTimeouts: Equatable, Sendable {
    /// Until the first byte of the response head; then 504.
    package var response = Interval.seconds(60)
    /// Between two reads of a response.
    package var idle = Interval.seconds(60)
    /// For a WebSocket or another upgrade without a byte in either direction.
    package var tunnel = Interval.seconds(3600)

    package init() {}
}

extension RouteTimeouts {
    /// The keys of `timeouts` in a group or a route.
    package static let keys: [Key<RouteTimeouts>] = [
        .duration(
            "response", \.response,
            """
            From the request to the first byte of the response; then the client gets 504. Raise \
            it for pages that take long to generate.
            """),
        .duration(
            "idle", \.idle,
            """
            Between two pieces of a response; then the response is cut off. Raise it for event \
            streams that stay quiet for long.
            """),
        .duration(
            "tunnel", \.tunnel,
            """
            For a WebSocket or another upgrade without traffic in either direction; then it is \
            closed.
            """),
    ]
}

extension Timeouts {
    /// The keys of `[timeouts]`: those of the whole program, and among them the defaults of groups
    /// and routes.
    package static let keys: [Key<Timeouts>] =
        [
            .duration(
                "header", \.header,
                "For the whole request head, from its first byte; then the client gets 408."),
            .duration(
                "body_idle", \.bodyIdle,
                """
                Between two pieces of a request body, and for a client that does not read its \
                response. See also `limits.min_rate`.
                """),
            .duration(
                "keepalive", \.keepalive,
                """
                How long a client's idle connection stays open between requests. Keep it above \
                the keep-alive time of a load balancer in front.
                """),
            .duration(
                "connect", \.connect,
                """
                For connecting to a process or server; then the request is retried on another \
                where that is allowed, or the client gets 504.
                """),
        ] + RouteTimeouts.keys.map { $0.at(\.route) } + [
            .duration(
                "drain", \.drain, atLeast: .zero,
                """
                At shutdown, for requests in flight. Keep it below the service manager's own \
                limit (`TimeoutStopSec=`); `"0"`: shutdown does not wait.
                """)
        ]
}
