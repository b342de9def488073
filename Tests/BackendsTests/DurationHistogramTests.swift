internal import Testing

@testable internal import Backends

@Suite struct DurationHistogramTests {
    @Test func `a duration falls into the first class whose bound it does not exceed`() {
        #expect(DurationHistogram.bounds.count == DurationHistogram.classes - 1)
        for (index, bound) in DurationHistogram.bounds.enumerated() {
            let nanoseconds = Int64(bound * 1e9)
            #expect(DurationHistogram.class(of: nanoseconds) == index)
            #expect(DurationHistogram.class(of: nanoseconds + 1) == index + 1)
        }
        #expect(DurationHistogram.class(of: .min) == 0)
        #expect(DurationHistogram.class(of: .max) == DurationHistogram.classes - 1)
    }

    @Test func `durations are counted and summed`() {
        var histogram = DurationHistogram()
        histogram.record(.milliseconds(3))
        histogram.record(.seconds(100))
        histogram.record(Interval(nanoseconds: -5))
        var sum = DurationHistogram()
        sum.add(histogram)
        sum.add(histogram)
        #expect(sum.total == 6 && sum.counts[2] == 2 && sum.counts[15] == 2 && sum.counts[0] == 2)
        #expect(sum.seconds == 200.006)
    }

    @Test func `a group counts how long its starts took and how many failed`() throws {
        let bench = Bench.ready(1)
        #expect(bench.snapshot.startDurations.total == 1)
        #expect(bench.snapshot.startFailuresTotal == 0)
        bench.exit(try bench.visit().process)
        let next = try #require(bench.snapshot.processes.first)
        #expect(next.state == .starting)
        bench.exit(next.handle)
        #expect(bench.snapshot.startFailuresTotal == 1)
        #expect(bench.snapshot.startDurations.total == 1)
    }
}
