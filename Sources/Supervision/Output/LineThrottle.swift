/// How many lines of a process go to the log: a steady rate and a burst, as a token bucket.
///
/// What is above is counted and told once a second, so that the log says that it is not whole. Times
/// are monotonic nanoseconds.
struct LineThrottle {
    static let linesPerSecond: Int64 = 1000
    static let burst: Int64 = 2000

    private static let second: Int64 = 1_000_000_000
    private var bucket = TokenBucket(
        perSecond: LineThrottle.linesPerSecond, burst: LineThrottle.burst)
    /// Lines kept from the log and not yet told.
    private(set) var dropped = 0
    /// When the dropped lines are to be told; nil: there are none.
    private(set) var reportAt: Int64?

    /// Whether a line may go to the log now; counts it as dropped if not.
    mutating func admits(now: Int64) -> Bool {
        if bucket.admits(now: now) { return true }
        dropped += 1
        if reportAt == nil { reportAt = now + Self.second }
        return false
    }

    /// The count of dropped lines, to be told now; the next counting begins.
    mutating func takeDropped() -> Int {
        defer {
            dropped = 0
            reportAt = nil
        }
        return dropped
    }
}
