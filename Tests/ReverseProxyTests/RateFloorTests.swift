internal import Testing

@testable internal import ReverseProxy

@Suite struct RateFloorTests {
    private static let second: Int64 = 1_000_000_000
    private static let grace = 10 * second

    private func started(at now: Int64 = 0, rate: Int = 100) -> RateFloor {
        var floor = RateFloor()
        floor.startIfStopped(now: now, grace: Self.grace, bytesPerSecond: rate)
        return floor
    }

    @Test func `a client that sends nothing has its grace`() {
        #expect(started(at: 5).deadline == 5 + Self.grace)
    }

    @Test func `a client at the rate goes on for ever`() {
        var floor = started()
        for second in 1...1000 {
            let now = Int64(second) * Self.second
            #expect(floor.deadline > now)
            floor.received(100, now: now, grace: Self.grace, bytesPerSecond: 100)
        }
    }

    @Test func `a client at half the rate is found out after twice the grace`() {
        var floor = started()
        var now: Int64 = 0
        while floor.deadline > now {
            now += Self.second
            floor.received(50, now: now, grace: Self.grace, bytesPerSecond: 100)
        }
        #expect(now / Self.second == 20)
    }

    @Test func `what was sent in haste buys no more than the grace`() {
        var floor = started()
        floor.received(1_000_000, now: Self.second, grace: Self.grace, bytesPerSecond: 100)
        #expect(floor.deadline == Self.second + Self.grace)
    }

    @Test func `who is kept waiting has the whole grace afterwards`() {
        var floor = started()
        floor.stop()
        #expect(floor.deadline == .max)
        floor.received(1, now: 100 * Self.second, grace: Self.grace, bytesPerSecond: 100)
        #expect(floor.deadline == .max)
        floor.startIfStopped(now: 100 * Self.second, grace: Self.grace, bytesPerSecond: 100)
        #expect(floor.deadline == 110 * Self.second)
    }

    @Test func `starting twice does not lengthen the time`() {
        var floor = started()
        floor.startIfStopped(now: Self.second, grace: Self.grace, bytesPerSecond: 100)
        #expect(floor.deadline == Self.grace)
    }

    @Test func `a rate of 0 is no floor`() {
        #expect(started(rate: 0).deadline == .max)
    }
}
