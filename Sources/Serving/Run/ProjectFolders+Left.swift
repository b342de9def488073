internal import ConfigFile
internal import FoundationEssentials
internal import Supervision

/// Runs in the same folder that were killed, and whose processes survive.
///
/// Only their developer should stop them: the run may be started again, and its sessions continue
/// then.
extension ProjectFolders {
    /// Such a run.
    struct Left: Equatable {
        /// The arguments of its `mooring run`; nil: unknown.
        var application: String?
        /// The leaders of its processes.
        var pids: [Int32]
    }

    private static let applicationFile = "application"

    /// Records what the folders belong to, for later runs.
    func remember(_ application: RunRequest.Application) throws {
        let words: [String]
        switch application {
        case .python(let name): words = [name]
        case .command(let command): words = ["--"] + command
        }
        let text = words.map(Self.quoted).joined(separator: " ")
        let file = "\(state)/\(Self.applicationFile)"
        if (try? String(contentsOfFile: file, encoding: .utf8)) == text { return }
        try PrivateFiles.prepareFolder(state, setting: "$STATE_DIRECTORY")
        // Without it the run has no name.
        try? text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    /// The runs in a folder, except for one's own, whose balancer is gone while their processes are
    /// not.
    ///
    /// - Parameters:
    ///   - folder: the current one, absolute.
    ///   - own: the state folder of the run that begins.
    static func left(
        in folder: String, besides own: String, environment: [String: String]
    ) -> [Left] {
        let running = Set(running(in: folder, environment: environment).map(lastName))
        return states(of: folder, environment).compactMap { state in
            if state == own || running.contains(lastName(state)) { return nil }
            let pids = RecordedProcesses(inStateDirectory: state).living
            if pids.isEmpty { return nil }
            let file = "\(state)/\(applicationFile)"
            return Left(
                application: try? String(contentsOfFile: file, encoding: .utf8), pids: pids)
        }
    }

    private static func lastName(_ path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    /// A word quoted for a shell.
    private static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_-./:=,@%+".utf8.contains(byte)
            }
        }
        if isPlain, !word.isEmpty { return word }
        let special: Set<Character> = ["\"", "$", "`", "\\", "!"]
        if word.contains("'"), !word.contains(where: special.contains) { return "\"\(word)\"" }
        return "'\(word.replacing("'", with: "'\\''"))'"
    }
}
