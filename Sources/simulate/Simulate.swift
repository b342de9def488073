internal import ArgumentParser
internal import Simulation

/// The command line of the simulation.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Runs the registry against random clients, crashes, failed starts and clock jumps.",
        discussion: """
            Every seed is a group with a policy of its own. The first promise that is found broken \
            ends the program with status 1 and with what led to it; the seed brings it back.
            """)

    @Option(help: "How many seeds to run.")
    var seeds = 256

    @Option(help: "The first seed.")
    var seed: UInt64 = 1

    @Option(help: "Steps of each seed.")
    var steps = 3000

    @Flag(help: "Measure a kept session's slot, taken and given back, instead.")
    var bench = false

    @Option(help: "How often it is measured.")
    var rounds = 2_000_000

    func validate() throws {
        if seeds < 1 || steps < 1 || rounds < 1 {
            throw ValidationError("--seeds, --steps and --rounds take a number from 1 up")
        }
        if UInt64.max - seed < UInt64(seeds) {
            throw ValidationError("--seed is too large for so many seeds")
        }
    }

    func run() throws {
        if bench { return Bench.run(rounds: rounds) }
        var total = Summary()
        for seed in seed..<(seed + UInt64(seeds)) {
            do {
                total += try Simulation.run(seed: seed, steps: steps)
            } catch {
                print(error)
                print("again: Scripts/simulate --seeds 1 --seed \(error.seed) --steps \(steps)")
                throw ExitCode.failure
            }
        }
        print(total)
    }
}
