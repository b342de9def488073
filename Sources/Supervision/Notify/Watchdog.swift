/// Whether a process goes on saying that it is alive (`WATCHDOG=1`, sd_notify(3)).
///
/// It is watched from the first time that it says so. Times are monotonic nanoseconds.
struct Watchdog: Equatable, Sendable {
    /// Until the process names another with `WATCHDOG_USEC`.
    static let defaultInterval: Int64 = 30_000_000_000

    private(set) var interval = Watchdog.defaultInterval
    /// When the next sign of life must have come; nil: not watched, or missed already.
    private(set) var deadline: Int64?

    /// It has said that it is alive.
    mutating func alive(now: Int64) { if interval > 0 { deadline = now + interval } }

    /// It has named its interval, of which it has the whole from now; 0 ends the watch.
    mutating func setInterval(_ nanoseconds: Int64, now: Int64) {
        interval = nanoseconds
        if deadline != nil { deadline = nanoseconds > 0 ? now + nanoseconds : nil }
    }

    /// Whether the sign of life is overdue; true once, then the watch is over.
    mutating func isMissed(now: Int64) -> Bool {
        guard let time = deadline, time <= now else { return false }
        end()
        return true
    }

    /// Watches no more, until it says again that it is alive.
    mutating func end() { deadline = nil }
}
