/// Runs the registry under randomness: a seed determines a group, its clients, its processes and a
/// clock.
///
/// The same seed and number of steps give the same run, in every process and build.
package enum Simulation {
    /// One run.
    ///
    /// - Throws: the first `Violation`, with the seed, the step and the latest events.
    package static func run(seed: UInt64, steps: Int) throws(Violation) -> Summary {
        try run(Chance(seed: seed, isRecording: false), seed: seed, steps: steps)
    }

    /// Everything that happens in the run of a seed, until it violates a promise.
    package static func record(
        seed: UInt64, steps: Int
    ) -> (recording: Recording, violation: Violation?) {
        let chance = Chance(seed: seed, isRecording: true)
        do throws(Violation) {
            _ = try run(chance, seed: seed, steps: steps)
            return (chance.recording, nil)
        } catch {
            return (chance.recording, error)
        }
    }

    /// A smaller recording that violates the same promise, without irrelevant steps.
    package static func shrink(_ recording: Recording, breaking rule: Violation.Rule) -> Recording {
        recording.shrunk { candidate in
            do throws(Violation) {
                _ = try replay(candidate)
                return false
            } catch {
                return error.rule == rule
            }
        }
    }

    /// Runs a recording again.
    ///
    /// - Throws: the first `Violation`.
    package static func replay(_ recording: Recording) throws(Violation) -> Summary {
        let chance = Chance()
        chance.begin(recording.steps.first ?? [])
        return try run(chance, seed: 0) { balancer, chance throws(Violation) in
            for step in recording.steps.dropFirst() {
                chance.begin(step)
                try balancer.step()
            }
        }
    }

    private static func run(
        _ chance: Chance, seed: UInt64, steps: Int
    ) throws(Violation) -> Summary {
        chance.begin()
        return try run(chance, seed: seed) { balancer, chance throws(Violation) in
            for _ in 0..<steps {
                chance.begin()
                try balancer.step()
            }
        }
    }

    private static func run(
        _ chance: Chance, seed: UInt64,
        _ steps: (SimulatedBalancer, Chance) throws(Violation) -> Void
    ) throws(Violation) -> Summary {
        var balancer: SimulatedBalancer?
        do throws(Violation) {
            let created = try SimulatedBalancer(chance)
            balancer = created
            try steps(created, chance)
            try created.end()
            var summary = created.worlds.reduce(into: Summary()) { $0 += $1.summary }
            summary.seeds = 1
            return summary
        } catch {
            var violation = error
            violation.seed = seed
            violation.step = balancer?.worlds.reduce(0) { $0 + $1.summary.steps } ?? 0
            violation.history =
                balancer?.worlds.flatMap { ["group \($0.index):"] + $0.history.lines } ?? []
            throw violation
        }
    }
}
