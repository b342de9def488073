internal import Testing

@testable internal import ReverseProxy

/// The tables of transitions, pair by pair: what is not listed is a defect.
@Suite struct PhaseTests {
    @Test func `a client's connection serves one exchange at a time until it lingers`() {
        let allowed: [DownstreamPhase: Set<DownstreamPhase>] = [
            .greeting: [.handshaking, .idle, .receivingHead],
            .handshaking: [.idle, .multiplexed, .exchange],
            .multiplexed: [.lingering],
            .idle: [.receivingHead],
            .receivingHead: [.exchange, .multiplexed],
            .exchange: [.idle, .lingering],
        ]
        expectTable(allowed) { $0.leads(to: $1) }
    }

    @Test func `a process's connection is busy and idle in turn until it is abandoned`() {
        let allowed: [UpstreamPhase: Set<UpstreamPhase>] = [
            .connecting: [.handshaking, .busy],
            .handshaking: [.busy],
            .busy: [.idle, .abandoned],
            .idle: [.busy],
        ]
        expectTable(allowed) { $0.leads(to: $1) }
    }

    @Test func `a connection that carries an exchange is distinguished from one that is kept`() {
        let carrying = UpstreamPhase.allCases.filter(\.hasExchange)
        #expect(carrying == [.postponed, .connecting, .handshaking, .busy])
    }

    private func expectTable<Phase: CaseIterable & Hashable>(
        _ allowed: [Phase: Set<Phase>], _ leads: (Phase, Phase) -> Bool
    ) {
        for phase in Phase.allCases {
            for next in Phase.allCases {
                let isAllowed = allowed[phase]?.contains(next) ?? false
                #expect(leads(phase, next) == isAllowed, "\(phase) to \(next)")
            }
        }
    }
}
