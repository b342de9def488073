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

    /// Each has found something once: as many steps as it took, and a few more.
    @Test(arguments: [
        // An adopted process that never got ready was never ended.
        (seed: 60, steps: 1000),
        // A ready new generation was not used though the old one had died.
        (seed: 193, steps: 400),
        // A rollout needed more than a maximum that was lowered meanwhile.
        (seed: 62, steps: 600),
        // A lack of room was told when only a spare one was wanted.
        (seed: 400, steps: 1000),
        // A replacement taken out of service left one too many.
        (seed: 5107, steps: 2000),
        // A generation given up for lack of room took the others' turn.
        (seed: 10_232, steps: 2000),
        // Idle ones were evicted while waiters stood before a closed gate.
        (seed: 10_366, steps: 400),
        // Waiters outwaited the eviction of the last, ill process.
        (seed: 10_832, steps: 1800),
        // A quiet group's idle process was not found when another needed its room.
        (seed: 63_766, steps: 2000),
        // Waiters were refused in the moment before a ready generation took over.
        (seed: 65_818, steps: 300),
        // The end of a replaced process made room for two.
        (seed: 10_916, steps: 1900),
    ])
    func `what was found once does not come back`(_ run: (seed: Int, steps: Int)) throws {
        _ = try Simulation.run(seed: UInt64(run.seed), steps: run.steps)
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
