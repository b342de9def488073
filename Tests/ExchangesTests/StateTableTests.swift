internal import Backends
internal import HTTPWire
internal import Testing

@testable internal import Exchanges

/// The tables of transitions, pair by pair: what is not listed is a defect.
@Suite struct StateTableTests {
    @Test func `a request goes from parsed to done, and back to connecting by a retry`() {
        let allowed: [RequestState.Phase: Set<RequestState.Phase>] = [
            .parsed: [.buffering, .queued, .connecting, .done],
            .buffering: [.queued, .connecting, .done],
            .queued: [.queued, .connecting, .done],
            .connecting: [.queued, .connecting, .sending, .done],
            .sending: [.connecting, .done],
            .done: [.connecting, .done],
        ]
        for phase in RequestState.Phase.allCases {
            for next in RequestState.Phase.allCases {
                let isAllowed = allowed[phase]?.contains(next) ?? false
                #expect(phase.leads(to: next) == isAllowed, "\(phase) to \(next)")
            }
        }
    }

    @Test func `a response is received once and never goes back`() {
        let allowed: [ResponseState.Phase: Set<ResponseState.Phase>] = [
            .awaitingHead: [.streaming, .tunnel, .received],
            .streaming: [.received],
        ]
        for phase in ResponseState.Phase.allCases {
            for next in ResponseState.Phase.allCases {
                let isAllowed = allowed[phase]?.contains(next) ?? false
                #expect(phase.leads(to: next) == isAllowed, "\(phase) to \(next)")
            }
        }
    }

    #if DEBUG
        @Test func `in debug builds a second answer traps`() async {
            await #expect(processExitsWith: .failure) {
                var machine = Situation.received.machine()
                machine.answered()
            }
        }
    #endif
}

/// The time that a process has for a request.
@Suite struct RequestClockTests {
    @Test func `a clock stands still while the client keeps the process waiting`() {
        var clock = RequestClock(limit: .seconds(10), now: 100)
        clock.pause(now: 1_000)
        clock.pause(now: 5_000)
        #expect(clock.limit(.max) == .max)
        clock.resume(now: 3_000)
        #expect(clock.deadline == 100 + 10_000_000_000 + 2_000)
        clock.resume(now: 9_000)
        #expect(clock.limit(.max) == 100 + 10_000_000_000 + 2_000)
        #expect(clock.limit(7) == 7)
    }

    @Test func `without a limit there is nothing to pause`() {
        var clock = RequestClock(limit: nil, now: 100)
        clock.pause(now: 1_000)
        clock.resume(now: 2_000)
        #expect(clock == .unlimited)
        #expect(clock.deadline == .max)
    }
}
