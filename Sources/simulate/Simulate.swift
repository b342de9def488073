internal import ArgumentParser
internal import Foundation
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

    @Option(
        help: ArgumentHelp(
            "Write what led to the first broken promise to a file, without what has no part in it.",
            valueName: "file"))
    var record: String?

    @Option(help: ArgumentHelp("Run what was recorded in a file.", valueName: "file"))
    var replay: String?

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
        if let replay { return try play(replay) }
        var total = Summary()
        for seed in seed..<(seed + UInt64(seeds)) {
            do {
                total += try Simulation.run(seed: seed, steps: steps)
            } catch {
                print(error)
                print("again: Scripts/simulate --seeds 1 --seed \(error.seed) --steps \(steps)")
                try writeRecording(of: error)
                throw ExitCode.failure
            }
        }
        print(total)
    }

    private func writeRecording(of violation: Violation) throws {
        guard let record else { return }
        let all = Simulation.record(seed: violation.seed, steps: steps).recording
        let recording = Simulation.shrink(all, breaking: violation.rule)
        let text = "# \(violation.rule.rawValue): \(violation.detail)\n\(recording.text)"
        try text.write(toFile: record, atomically: true, encoding: .utf8)
        print("\(recording.stepCount) steps are in \(record); --replay runs them")
    }

    private func play(_ file: String) throws {
        do {
            print(try Simulation.replay(Recording(String(contentsOfFile: file, encoding: .utf8))))
        } catch let violation as Violation {
            print(violation)
            throw ExitCode.failure
        }
    }
}
