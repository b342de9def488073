internal import Simulation
internal import Testing

@Suite struct SimulationTests {
    @Test(arguments: 0..<8)
    func `no promise is broken by a sweep of seeds`(part: UInt64) throws {
        for seed in part * 8..<(part + 1) * 8 {
            let summary = try Simulation.run(seed: seed, steps: 1500)
            // A step that is none of a group's own is not counted.
            #expect(summary.steps >= 1400)
        }
    }

    @Test func `a seed gives the same run again`() throws {
        #expect(try Simulation.run(seed: 5, steps: 500) == Simulation.run(seed: 5, steps: 500))
    }

    @Test func `a sweep meets everything that it is there for`() throws {
        var total = Summary()
        for seed in 100..<116 { total += try Simulation.run(seed: UInt64(seed), steps: 1000) }
        #expect(total.grants > 1000 && total.waits > 100 && total.refusals > 100)
        #expect(total.starts > 50 && total.failedStarts > 10 && total.evictions > 10)
        #expect(total.crashes > 10 && total.lost > 0 && total.moved > 10)
        #expect(total.rollouts > 10 && total.recycled > 10)
        #expect(total.tunnels > 10 && total.adopted > 10)
    }
}
