/// A deadline that moves with the bytes that a client sends.
///
/// A minimum rate with a grace period: the deadline starts with the grace, every byte adds its
/// share of a second, and at most the grace is kept in hand. So a client may pause, and one that
/// trickles is detected after the grace, whatever it sent before. Plain data for a slab.
struct RateFloor {
    /// Monotonic ns; `Int64.max`: no minimum rate, or the client need not send now.
    private(set) var deadline = Int64.max

    /// Starts measuring, unless it has started already.
    mutating func startIfStopped(now: Int64, grace: Int64, bytesPerSecond: Int) {
        if deadline == .max, bytesPerSecond > 0 { deadline = now &+ grace }
    }

    /// Stops measuring: the client has to wait, or has sent everything.
    mutating func stop() { deadline = .max }

    /// Counts received bytes.
    mutating func received(_ count: Int, now: Int64, grace: Int64, bytesPerSecond: Int) {
        guard bytesPerSecond > 0, deadline != .max else { return }
        // At most a block, so the product is small.
        let bought = Int64(count) &* 1_000_000_000 / Int64(bytesPerSecond)
        deadline = min(deadline &+ bought, now &+ grace)
    }
}
