internal import Reactor
internal import Testing

@Suite struct TimerWheelTests {
    private let second: Int64 = 1_000_000_000

    @Test func `an id is reported within a tick after its deadline and never before`() {
        var wheel = TimerWheel(ids: 8, now: 0)
        wheel.schedule(3, at: second)
        var due: [Int32] = []
        wheel.advance(to: second - 1, into: &due)
        #expect(due.isEmpty)
        wheel.advance(to: second + TimerWheel.tick, into: &due)
        #expect(due == [3])
    }

    @Test func `an earlier deadline replaces a later one and a later one waits for its owner`() {
        var wheel = TimerWheel(ids: 2, now: 0)
        wheel.schedule(0, at: 10 * second)
        wheel.schedule(0, at: second)
        wheel.schedule(0, at: 20 * second)
        var due: [Int32] = []
        wheel.advance(to: 2 * second, into: &due)
        #expect(due == [0])
    }

    @Test func `a cancelled id is not reported`() {
        var wheel = TimerWheel(ids: 2, now: 0)
        wheel.schedule(1, at: second)
        wheel.cancel(1)
        var due: [Int32] = []
        wheel.advance(to: 5 * second, into: &due)
        #expect(due.isEmpty)
        #expect(wheel.nextDeadline == nil)
    }

    @Test func `a deadline further away than one round of the wheel waits for its round`() {
        var wheel = TimerWheel(ids: 1, now: 0)
        let far = 500 * second
        wheel.schedule(0, at: far)
        var due: [Int32] = []
        var now: Int64 = 0
        while now < far - second {
            now += second
            wheel.advance(to: now, into: &due)
        }
        #expect(due.isEmpty)
        wheel.advance(to: far + TimerWheel.tick, into: &due)
        #expect(due == [0])
    }

    @Test func `a pause longer than a round reports everything that became due in it`() {
        var wheel = TimerWheel(ids: 100, now: 0)
        for id in 0..<100 { wheel.schedule(id, at: Int64(id) * second) }
        var due: [Int32] = []
        wheel.advance(to: 1000 * second, into: &due)
        #expect(due.sorted() == Array(0..<100))
    }

    @Test func `the next deadline is never later than an entry`() {
        var wheel = TimerWheel(ids: 4, now: 0)
        for seconds in [1, 7, 70, 300] {
            wheel.schedule(0, at: Int64(seconds) * second)
            let next = wheel.nextDeadline
            #expect(next != nil && (next ?? 0) <= Int64(seconds) * second + TimerWheel.tick)
            wheel.cancel(0)
        }
    }
}
