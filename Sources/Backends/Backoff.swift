/// When a group may start a process again after failures.
///
/// Two things count. A *failed start* is a process that ended, or had to be stopped, before it had
/// served a request. A *young crash* is one that had served, but ended within ten seconds of
/// getting ready; the first two are free, so that a process that is killed comes back at once, and
/// a crash counts only if its process was started after the crash counted last, so that many
/// processes dying of one cause are one. Without the second kind a program that ends after its
/// first request would be started as fast as it ends, for ever.
struct Backoff: Sendable {
    /// After so many failures in a row the group is failing.
    static let failingAfter = 8
    /// A process that lived longer than this is no sign of a loop when it ends.
    static let proof = Interval.seconds(10)
    private static let freeCrashes = 2
    private static let longest = Interval.seconds(60)

    private var failedStarts = 0
    private var youngCrashes = 0
    private var lastCrash: MonotonicInstant?
    /// No start before this; meaningful while `inARow` is above 0.
    private(set) var until: MonotonicInstant

    init(at now: MonotonicInstant) { until = now }

    /// Failures without a success in between, as far as they slow starts down.
    var inARow: Int { failedStarts + max(0, youngCrashes - Self.freeCrashes) }
    var isFailing: Bool { inARow >= Self.failingAfter }

    func left(at now: MonotonicInstant) -> Interval {
        inARow > 0 && until > now ? until - now : .zero
    }

    /// A process ended before it had served; returns the wait until the next start.
    mutating func startFailed(
        now: MonotonicInstant, using generator: inout Generator
    ) -> Interval {
        failedStarts += 1
        return wait(from: now, using: &generator)
    }

    /// A process that had served ended unasked.
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

    /// A request was served, by a process that has been ready for so long.
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
    /// Not from zero, as full jitter would: with the lower bound at a half, a group that never gets
    /// a process up makes at most eight starts in its first minute, whatever is drawn and whether
    /// the first of them were made one by one or, at most eight, at once.
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
