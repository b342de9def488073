internal import Backends
internal import Testing

@testable internal import Exchanges

/// Exchanges that are given up while their process works on them.
@Suite struct LeftBehindTests {
    private let now = Situation.now
    private let later = Situation.now + Interval.seconds(1).nanoseconds
    private let end = Situation.now + Interval.seconds(300).nanoseconds

    @Test func `a process is at work from the first byte to its answer, its end or its time`() {
        for situation in Situation.allCases {
            let machine = situation.machine(limit: .seconds(2))
            let isAtWork = machine.isAtWork(sentAny: true, hasClosed: false, now: now)
            #expect(isAtWork == machine.holdsSlot, "\(situation)")
        }
        let machine = Situation.awaitingAnswer.machine(limit: .seconds(2))
        #expect(machine.isAtWork(sentAny: false, hasClosed: false, now: now) == false)
        #expect(machine.isAtWork(sentAny: true, hasClosed: true, now: now) == false)
        let over = now + Interval.seconds(2).nanoseconds
        #expect(machine.isAtWork(sentAny: true, hasClosed: false, now: over) == false)
    }

    @Test func `the slot goes with what is left, and once`() {
        var machine = Situation.awaitingAnswer.machine()
        let left = machine.leaveBehind(.abandoned, deadline: later, now: now)
        #expect(left.slot == .request(Situation.grant, isAnswered: false))
        #expect(machine.returnSlot() == .none)
        #expect(left.endsRequest == false)
    }

    @Test func `a request that is not over, and a tunnel, end for the process`() {
        for situation in [Situation.sending, .streamingEarly, .webSocket] {
            var machine = situation.machine()
            let left = machine.leaveBehind(.abandoned, deadline: later, now: now)
            #expect(left.endsRequest, "\(situation)")
        }
    }

    @Test func `a process that was late counts as overdue at once, and once`() {
        var machine = Situation.awaitingAnswer.machine()
        var left = machine.leaveBehind(.failed, deadline: later, now: now)
        #expect(left.isOverdue)
        #expect(left.outcome == .abandoned)
        #expect(left.deadline == end)
        let (timeout, isOverdue) = left.timedOut(isBounded: true, now: end)
        #expect(timeout == .closeAndReplace)
        #expect(isOverdue == false)
        var tunnel = Situation.webSocket.machine()
        let open = tunnel.leaveBehind(.failed, deadline: later, now: now)
        #expect(open.isOverdue == false)
        #expect(open.outcome == .failed)
    }

    @Test func `a process that hangs is overdue when its client would have got a timeout`() {
        var machine = Situation.awaitingAnswer.machine()
        var left = machine.leaveBehind(.abandoned, deadline: later, now: now)
        #expect(left.deadline == later)
        let (first, isOverdue) = left.timedOut(isBounded: false, now: later)
        #expect(first == .wait)
        #expect(isOverdue)
        #expect(left.deadline == end)
        let (last, isOverdueAgain) = left.timedOut(isBounded: false, now: end)
        #expect(last == .close)
        #expect(isOverdueAgain == false)
    }

    @Test func `a process that sends something gets a moment and a limit for it`() {
        var machine = Situation.streaming.machine()
        var left = machine.leaveBehind(.abandoned, deadline: later, now: now)
        #expect(left.received(1_000) == .first)
        #expect(left.received(1_000) == .more)
        let (timeout, isOverdue) = left.timedOut(isBounded: true, now: later)
        #expect(timeout == .close)
        #expect(isOverdue == false)
        #expect(left.received(64 * 1024) == .tooMuch)
    }
}
