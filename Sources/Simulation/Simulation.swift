/// Runs the registry against chance: a seed gives a group, its clients, its processes and a clock.
///
/// The same seed and number of steps give the same run, in every process and build.
package enum Simulation {
    /// One run.
    ///
    /// - Throws: the first `Violation`, with the seed, the step and what happened last.
    package static func run(seed: UInt64, steps: Int) throws(Violation) -> Summary {
        var town: Town?
        do {
            let created = try Town(seed: seed)
            town = created
            for _ in 0..<steps { try created.step() }
            try created.end()
            var summary = created.worlds.reduce(into: Summary()) { $0 += $1.summary }
            summary.seeds = 1
            return summary
        } catch {
            var violation = error
            violation.seed = seed
            violation.step = town?.worlds.reduce(0) { $0 + $1.summary.steps } ?? 0
            violation.history =
                town?.worlds.flatMap { ["group \($0.index):"] + $0.history.lines } ?? []
            throw violation
        }
    }
}
