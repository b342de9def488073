/// Whether a process keeps sending `WATCHDOG=1` (sd_notify(3)).
///
/// It is watched from the first one on. Times are monotonic nanoseconds.
struct Watchdog: Equatable, Sendable {
    /// The interval until the process sets another with `WATCHDOG_USEC`.
    static let defaultInterval: Int64 = 30_000_000_000

    private(set) var interval = Watchdog.defaultInterval
    /// When the next `WATCHDOG=1` is due; nil: not watched, or missed already.
    private(set) var deadline: Int64?

    /// The process has sent `WATCHDOG=1`.
    mutating func alive(now: Int64) { if interval > 0 { deadline = now + interval } }

    /// The process has set its interval, which starts now; 0 stops watching.
    mutating func setInterval(_ nanoseconds: Int64, now: Int64) {
        interval = nanoseconds
        if deadline != nil { deadline = nanoseconds > 0 ? now + nanoseconds : nil }
    }

    /// Whether `WATCHDOG=1` is overdue; true once, then watching stops.
    mutating func isMissed(now: Int64) -> Bool {
        guard let time = deadline, time <= now else { return false }
        end()
        return true
    }

    /// Stops watching until the next `WATCHDOG=1`.
    mutating func end() { deadline = nil }
}
