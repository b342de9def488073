internal import Foundation
internal import Simulation
internal import Testing

/// Runs that were recorded, among them those that have once broken a promise.
@Suite struct RecordingTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Cases")

    /// Their names say what broke.
    private static let cases =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [])
        .filter { $0.hasSuffix(".txt") }.sorted()

    @Test(arguments: cases) func `what was found once does not come back`(_ name: String) throws {
        let file = Self.folder.appending(path: name)
        let recording = Recording(try String(contentsOf: file, encoding: .utf8))
        #expect(recording.stepCount > 1)
        _ = try Simulation.replay(recording)
    }

    @Test func `there are recorded cases`() { #expect(Self.cases.count >= 3) }

    @Test(arguments: [5, 8, 13] as [UInt64])
    func `a recorded run is the run of its seed`(_ seed: UInt64) throws {
        let (recording, violation) = Simulation.record(seed: seed, steps: 400)
        #expect(violation == nil)
        #expect(recording.stepCount == 401)
        #expect(
            try Simulation.replay(Recording(recording.text))
                == Simulation.run(seed: seed, steps: 400))
    }

    @Test func `a recording is read as it was written, without comments`() {
        let recording = Recording("# what broke\ngroups=1\naction=pass milliseconds=20\n")
        #expect(recording.text == "groups=1\naction=pass milliseconds=20\n")
    }

    @Test func `what has no part in a violation is left out`() {
        let lines = (0..<40).map { "action=pass milliseconds=\($0)\n" }
        let shrunk = Recording(lines.joined()).shrunk { candidate in
            candidate.text.contains("=17\n") && candidate.text.contains("=31\n")
        }
        #expect(shrunk.text == lines[0] + lines[17] + lines[31])
    }
}
