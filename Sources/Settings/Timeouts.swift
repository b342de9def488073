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
