/// Limits how many lines of a process go to the log: a token bucket.
///
/// Dropped lines are counted and reported once a second, so that the log shows that it is
/// incomplete. Times are monotonic nanoseconds.
struct LineThrottle {
    static let linesPerSecond: Int64 = 1000
    static let burst: Int64 = 2000

    private static let second: Int64 = 1_000_000_000
    private var bucket = TokenBucket(
        perSecond: LineThrottle.linesPerSecond, burst: LineThrottle.burst)
    /// Dropped lines that were not reported yet.
    private(set) var dropped = 0
    /// When the dropped lines are reported; nil: there are none.
    private(set) var reportAt: Int64?

    /// Whether a line may go to the log now; otherwise counts it as dropped.
    mutating func admits(now: Int64) -> Bool {
        if bucket.admits(now: now) { return true }
        dropped += 1
        if reportAt == nil { reportAt = now + Self.second }
        return false
    }

    /// Returns the count of dropped lines to report now, and resets it.
    mutating func takeDropped() -> Int {
        defer {
            dropped = 0
            reportAt = nil
        }
        return dropped
    }
}
