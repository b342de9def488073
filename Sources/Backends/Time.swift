/// A point on the monotonic clock (CLOCK_MONOTONIC), in nanoseconds since boot.
///
/// Never a wall clock: token expiry uses seconds of the Unix era and another type.
package struct MonotonicInstant: Comparable, Hashable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func + (instant: MonotonicInstant, span: Interval) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: instant.nanoseconds &+ span.nanoseconds)
    }
    package static func - (later: MonotonicInstant, earlier: MonotonicInstant) -> Interval {
        Interval(nanoseconds: later.nanoseconds &- earlier.nanoseconds)
    }
    package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
