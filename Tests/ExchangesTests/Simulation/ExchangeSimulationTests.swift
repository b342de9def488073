internal import Testing

@testable internal import Exchanges

/// Machines and a registry together, between parties that chance leads.
@Suite struct ExchangeSimulationTests {
    /// One answer per request, no piece of one exchange in another, every slot returned once, every stored
    /// body dropped, no request repeated that must not be.
    @Test(arguments: 0..<4)
    func `whatever clients and processes do, each request has its own one answer`(
        _ block: UInt64
    ) throws {
        var tally = ExchangeWorld.Tally()
        for seed in block * 15..<(block + 1) * 15 {
            let world = ExchangeWorld(seed: seed)
            do {
                try world.run(steps: 600)
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
            tally += world.tally
        }
        // A run in which these do not happen shows nothing of them.
        #expect(tally.answered > 300)
        for (count, what) in [
            (tally.abandoned, "clients that leave"), (tally.cutShort, "responses cut short"),
            (tally.tunnels, "tunnels"), (tally.retries, "retries"),
            (tally.reused, "connections used again"), (tally.queued, "waiters"),
            (tally.late, "orders that come too late"), (tally.early, "early answers"),
            (tally.left, "processes at work without a client"),
        ] {
            #expect(count > 0, "\(what)")
        }
    }
}
