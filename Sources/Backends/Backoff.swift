/// When a group may start a process again after failures.
///
/// Two kinds count. A *failed start* is a process that exited, or had to be stopped, before it
/// served a request. A *young crash* is one that had served, but exited within ten seconds of
/// becoming ready. The first two young crashes are free, so that a process that is killed comes
/// back at once. A crash counts only if its process was started after the crash counted last: many
/// processes that die of one cause count once. Without young crashes, a program that exits after
/// its first request would be restarted in a tight loop.
struct Backoff: Sendable {
    /// Consecutive failures after which the group is failing.
    static let failingAfter = 8
    /// The exit of a process that lived longer than this does not indicate a crash loop.
    static let proof = Interval.seconds(10)
    private static let freeCrashes = 2
    private static let longest = Interval.seconds(60)

    private var failedStarts = 0
    private var youngCrashes = 0
    private var lastCrash: MonotonicInstant?
    /// No start before this; valid while `inARow` is above 0.
    private(set) var until: MonotonicInstant

    init(at now: MonotonicInstant) { until = now }

    /// Consecutive failures that count towards the back-off.
    var inARow: Int { failedStarts + max(0, youngCrashes - Self.freeCrashes) }
    var isFailing: Bool { inARow >= Self.failingAfter }

    func left(at now: MonotonicInstant) -> Interval {
        inARow > 0 && until > now ? until - now : .zero
    }

    /// A process exited before it served a request; returns the wait until the next start.
    mutating func startFailed(
        now: MonotonicInstant, using generator: inout Generator
    ) -> Interval {
        failedStarts += 1
        return wait(from: now, using: &generator)
    }

    /// A process that had served a request exited unexpectedly.
    mutating func crashed(
        startedAt: MonotonicInstant, readyFor: Interval, now: MonotonicInstant,
        using generator: inout Generator
    ) {
        if readyFor >= Self.proof { return }
        if let lastCrash, startedAt <= lastCrash { return }
        lastCrash = now
        youngCrashes += 1
        if inARow > 0 { _ = wait(from: now, using: &generator) }
    }

    /// A process that has been ready for this long served a request.
    mutating func served(readyFor: Interval) {
        failedStarts = 0
        if readyFor >= Self.proof { youngCrashes = 0 }
    }

    mutating func reset() {
        failedStarts = 0
        youngCrashes = 0
        lastCrash = nil
    }

    /// Draws the wait: half to all of 1 s, 2 s, 4 s … 60 s, and 60 s to 66 s once failing.
    ///
    /// Full jitter would start from zero. With a lower bound of one half, a group whose processes
    /// never become ready makes at most eight starts in its first minute, regardless of the draws
    /// and of whether up to eight of them happened at once.
    private mutating func wait(
        from now: MonotonicInstant, using generator: inout Generator
    ) -> Interval {
        let shift = min(inARow - 1, 6)
        let full = min(Interval.seconds(1).nanoseconds << shift, Self.longest.nanoseconds)
        let range = isFailing ? full...(full + full / 10) : (full / 2)...full
        let span = Interval(nanoseconds: Int64.random(in: range, using: &generator))
        until = max(until, now + span)
        return until - now
    }
}
