internal import Testing

@testable internal import Supervision

@Suite struct OutputRingTests {
    @Test func `the newest lines are kept, oldest first`() {
        let ring = OutputRing()
        for number in 0..<450 { ring.append("line \(number)") }
        #expect(ring.last().count == 200)
        #expect(ring.last().first == "line 250")
        #expect(ring.last(2) == ["line 448", "line 449"])
    }

    @Test func `long lines push out more than one`() {
        let ring = OutputRing()
        for _ in 0..<100 { ring.append(String(repeating: "x", count: 1024)) }
        #expect(ring.last().count == 64)
    }

    @Test func `an empty ring has no lines`() {
        #expect(OutputRing().last().isEmpty)
        #expect(OutputRing().last(-1).isEmpty)
    }
}

@Suite struct LineThrottleTests {
    private let second: Int64 = 1_000_000_000

    @Test func `a burst passes, what is above is counted`() {
        var throttle = LineThrottle()
        let admitted = (0..<3000).filter { _ in throttle.admits(now: second) }.count
        #expect(admitted == 2000)
        #expect(throttle.dropped == 1000)
        #expect(throttle.reportAt == 2 * second)
    }

    @Test func `afterwards the steady rate passes`() {
        var throttle = LineThrottle()
        for _ in 0..<3000 { _ = throttle.admits(now: 0) }
        let admitted = (0..<3000).filter { _ in throttle.admits(now: second) }.count
        #expect(admitted == 1000)
    }

    @Test func `reporting resets the count`() {
        var throttle = LineThrottle()
        for _ in 0..<2001 { _ = throttle.admits(now: 0) }
        #expect(throttle.takeDropped() == 1)
        #expect(throttle.reportAt == nil)
        #expect(throttle.takeDropped() == 0)
    }
}
