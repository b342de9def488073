/// Where the names of servers are looked up (`[dns]`).
package struct NameService: Equatable, Sendable {
    /// Addresses with ports; empty: those of the system.
    package var servers: [String] = []
    /// Bounds of how long an answer holds, whatever it says itself.
    package var minTTL = Interval.seconds(1)
    package var maxTTL = Interval.seconds(30)

    package init() {}

    /// When to look a name up again.
    ///
    /// - Parameter seconds: as the answer says.
    package func pause(ttl seconds: Int) -> Interval {
        let own = Interval.seconds(Int64(max(0, min(seconds, 86_400))))
        return max(min(own, maxTTL), minTTL)
    }
}

extension NameService {
    /// The keys of `[dns]` that are plain.
    package static let keys: [Key<NameService>] = [
        .duration(
            "min_ttl", \.minTTL, atLeast: .milliseconds(100),
            "An answer holds at least this long, whatever it says."),
        .duration(
            "max_ttl", \.maxTTL, atLeast: .milliseconds(100),
            """
            An answer holds at most this long: within this time Mooring notices that the addresses \
            of a name have changed.
            """),
    ]
}
