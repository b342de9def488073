/// A rate limit with a burst: the budget of a sender.
///
/// Times are monotonic nanoseconds.
struct TokenBucket: Equatable, Sendable {
    private let perToken: Int64
    private let burst: Int64
    /// When the bucket will be full again; each token moves it by its share of a second.
    private var fullAt: Int64 = 0

    /// Both at least 1.
    init(perSecond: Int64, burst: Int64) {
        perToken = 1_000_000_000 / perSecond
        self.burst = burst
    }

    /// Takes a token if one is available.
    mutating func admits(now: Int64) -> Bool {
        let base = max(fullAt, now)
        if base - now > (burst - 1) * perToken { return false }
        fullAt = base + perToken
        return true
    }
}
