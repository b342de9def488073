internal import Testing

@testable internal import Backends

@Suite struct LoadAverageTests {
    private let start = MonotonicInstant(nanoseconds: 5)

    private func isAbove(
        _ share: Double, _ load: LoadAverage, after seconds: Int64
    ) -> Bool {
        load.isAbove(share, of: 10, at: start + .seconds(seconds))
    }

    @Test func `ten busy seconds make the average`() {
        var load = LoadAverage(at: start)
        load.set(8, at: start)
        #expect(!isAbove(0.7, load, after: 8))
        #expect(isAbove(0.7, load, after: 11))
        #expect(!isAbove(0.81, load, after: 60))
    }

    @Test func `a short burst is no load`() {
        var load = LoadAverage(at: start)
        load.set(10, at: start + .seconds(20))
        load.set(0, at: start + .seconds(23))
        #expect(!isAbove(0.7, load, after: 23))
        #expect(isAbove(0.2, load, after: 25))
        #expect(!isAbove(0, load, after: 40))
    }

    @Test func `a long silence is one step`() {
        var load = LoadAverage(at: start)
        load.set(10, at: start)
        #expect(isAbove(0.99, load, after: 1_000_000_000))
    }
}
