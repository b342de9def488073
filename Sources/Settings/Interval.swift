/// A span of time in nanoseconds; eight bytes, so that it costs the data path one addition.
package struct Interval: Comparable, Hashable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let zero = Interval(nanoseconds: 0)
    /// A whole number of seconds.
    package static func seconds(_ count: Int64) -> Interval {
        Interval(nanoseconds: count * 1_000_000_000)
    }
    /// A whole number of milliseconds.
    package static func milliseconds(_ count: Int64) -> Interval {
        Interval(nanoseconds: count * 1_000_000)
    }
    /// The span in seconds, for logs and JSON.
    package var seconds: Double { Double(nanoseconds) / 1e9 }

    package static func < (left: Interval, right: Interval) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
