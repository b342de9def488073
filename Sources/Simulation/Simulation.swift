/// Runs the registry against chance: a seed gives a group, its clients, its processes and a clock.
///
/// The same seed and number of steps give the same run, in every process and build.
package enum Simulation {
    /// One run.
    ///
    /// - Throws: the first `Violation`, with the seed, the step and what happened last.
    package static func run(seed: UInt64, steps: Int) throws(Violation) -> Summary {
        var world: World?
        do {
            let created = try World(seed: seed)
            world = created
            for _ in 0..<steps { try created.step() }
            try created.end()
            created.summary.seeds = 1
            return created.summary
        } catch {
            var violation = error
            violation.seed = seed
            violation.step = world?.summary.steps ?? 0
            violation.history = world?.history.lines ?? []
            throw violation
        }
    }
}
