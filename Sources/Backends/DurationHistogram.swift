/// A histogram of durations with fixed buckets, for Prometheus.
package struct DurationHistogram: Equatable, Sendable {
    /// Upper bounds in seconds; one more bucket holds longer durations.
    package static let bounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// The number of buckets, including the one above the last bound.
    package static var classes: Int { 16 }

    /// The count of each bucket, not cumulative.
    package var counts = [UInt64](repeating: 0, count: DurationHistogram.classes)
    package var nanoseconds: UInt64 = 0

    package init() {}

    package var total: UInt64 { counts.reduce(0, &+) }
    package var seconds: Double { Double(nanoseconds) / 1e9 }

    mutating func record(_ span: Interval) {
        counts[Self.class(of: span.nanoseconds)] &+= 1
        nanoseconds &+= UInt64(max(span.nanoseconds, 0))
    }

    /// Adds the counts of another histogram.
    package mutating func add(_ other: DurationHistogram) {
        for index in 0..<Self.classes { counts[index] &+= other.counts[index] }
        nanoseconds &+= other.nanoseconds
    }

    /// The bucket of a duration; on the data path, so it compares with constants.
    package static func `class`(of nanoseconds: Int64) -> Int {
        switch nanoseconds {
        case ...1_000_000: 0
        case ...2_500_000: 1
        case ...5_000_000: 2
        case ...10_000_000: 3
        case ...25_000_000: 4
        case ...50_000_000: 5
        case ...100_000_000: 6
        case ...250_000_000: 7
        case ...500_000_000: 8
        case ...1_000_000_000: 9
        case ...2_500_000_000: 10
        case ...5_000_000_000: 11
        case ...10_000_000_000: 12
        case ...30_000_000_000: 13
        case ...60_000_000_000: 14
        default: 15
        }
    }
}
