/// How long a client that sends may go on: what it has sent buys it time.
///
/// A floor of bytes per second with a grace: it starts with the grace, every byte adds its share of
/// a second, and never more than the grace is kept in hand. So a client may pause, and one that
/// trickles is found out after the grace, whatever it sent before. Plain data for a slab.
struct RateFloor {
    /// Monotonic ns; `Int64.max`: there is no floor, or nothing is expected of the client.
    private(set) var deadline = Int64.max

    /// Begins to measure, unless it is done already.
    mutating func startIfStopped(now: Int64, grace: Int64, bytesPerSecond: Int) {
        if deadline == .max, bytesPerSecond > 0 { deadline = now &+ grace }
    }

    /// Measures no more: the client is kept waiting, or has sent everything.
    mutating func stop() { deadline = .max }

    /// Counts bytes that have come.
    mutating func received(_ count: Int, now: Int64, grace: Int64, bytesPerSecond: Int) {
        guard bytesPerSecond > 0, deadline != .max else { return }
        // A block at most, so the product is small.
        let bought = Int64(count) &* 1_000_000_000 / Int64(bytesPerSecond)
        deadline = min(deadline &+ bought, now &+ grace)
    }
}
