internal import Testing

@testable internal import ReverseProxy

@Suite struct AgendaTests {
    private static func token(_ index: Int) -> EventToken {
        EventToken(.downstream, entry: index, serial: 1)
    }

    @Test func `nothing is due at once on an empty agenda`() {
        #expect(!Agenda().isBusy)
    }

    @Test func `what is postponed while it is gone through waits for the next turn`() {
        let agenda = Agenda()
        agenda.postpone(Self.token(1))
        for token in agenda.takePostponed() { agenda.postpone(token) }
        #expect(agenda.isBusy)
        #expect(agenda.takePostponed().map(\.entry) == [1])
        #expect(!agenda.isBusy)
    }

    @Test func `a turn takes some handshakes, in the order in which they came`() {
        let agenda = Agenda()
        for index in 1...3 { agenda.continueHandshake(Self.token(index)) }
        #expect(agenda.takeHandshakes(atMost: 2).map(\.entry) == [1, 2])
        #expect(agenda.isBusy)
        #expect(agenda.takeHandshakes(atMost: 2).map(\.entry) == [3])
        #expect(!agenda.isBusy)
    }

    @Test func `frames to send bring the next turn at once`() {
        let agenda = Agenda()
        agenda.send(7)
        #expect(agenda.isBusy)
        #expect(agenda.takeUnsent() == [7])
        #expect(agenda.takeUnsent() == [])
    }

    @Test func `exchanges that are released bring the next turn at once, and ask in their order`() {
        let agenda = Agenda()
        let members = (1...3).map { CoalescedRequests.Member(exchange: $0, serial: 1) }
        agenda.askAgain(Array(members.prefix(2)))
        agenda.askAgain(Array(members.suffix(1)))
        #expect(agenda.isBusy)
        #expect(agenda.takeReleased() == members)
        #expect(!agenda.isBusy)
        #expect(agenda.takeReleased() == [])
    }
}
