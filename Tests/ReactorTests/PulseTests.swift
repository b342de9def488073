internal import Testing

@testable internal import Reactor

@Suite struct PulseTests {
    @Test func `a loop that has answered is not silent`() {
        let pulse = Pulse(name: "loop")
        #expect(pulse.silence(now: 100) == 0)
        #expect(pulse.ask(now: 100))
        #expect(pulse.silence(now: 150) == 50)
        pulse.answer()
        #expect(pulse.silence(now: 200) == 0)
    }

    @Test func `a loop that does not answer gets one question, and is silent since then`() {
        let pulse = Pulse(name: "loop")
        #expect(pulse.ask(now: 100))
        #expect(!pulse.ask(now: 200))
        #expect(pulse.silence(now: 300) == 200)
    }

    @Test func `a loop that was stopped is not missed`() {
        let pulse = Pulse(name: "loop")
        #expect(pulse.ask(now: 100))
        pulse.end()
        #expect(!pulse.ask(now: 200))
        #expect(pulse.silence(now: 300) == 0)
    }
}
