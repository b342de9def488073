internal import AdminAPI
internal import ArgumentParser
internal import Glibc
internal import Serving

/// `mooring restart`: starts a new generation of a group.
struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Replaces the processes of a group; sessions stay on theirs until they end.",
        usage: "mooring restart [options] <group>",
        discussion: """
            New processes start beside the old ones and take the new sessions as soon as they are \
            ready. If they do not become ready, the old ones continue unchanged.
            """)

    @OptionGroup var location: AdminLocation
    @Argument(help: "The group's name.")
    var group: String
    @Flag(help: "Wait until the new processes are ready, or have failed.")
    var wait = false

    func run() throws {
        let client = try location.client()
        let answer = try client.post("/groups/\(pathSegment(group))/restart")
        let generation = try number("generation", in: answer)
        Terminal.write("generation \(generation) of \(group) is starting\n")
        guard wait else { return }
        try RolloutWatch(client: client, group: group, generation: generation).run()
    }

    private func number(_ key: String, in answer: AdminAnswer) throws -> Int {
        guard let value = answer[key] else {
            throw CommandFailure.failed("the balancer's answer does not say the \(key)")
        }
        return value
    }
}

/// `mooring scale`: changes a group's number of processes, until the next reload.
struct ScaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Changes a group's number of processes, until the next reload.",
        usage: "mooring scale [options] <group> <n or min..max>")

    @OptionGroup var location: AdminLocation
    @Argument(help: "The group's name.")
    var group: String
    @Argument(help: ArgumentHelp("The number of processes.", valueName: "n or min..max"))
    var processes: String

    func run() throws {
        let bounds = processes.split(separator: ".", omittingEmptySubsequences: true)
        let numbers = bounds.compactMap { Int($0) }
        guard (1...2).contains(numbers.count), numbers.count == bounds.count,
            numbers.count == 1 || processes.contains("..")
        else {
            throw CommandFailure.usage(
                "\(processes) is no number of processes; write 3, or 1..4 for between 1 and 4")
        }
        let (minimum, maximum) = (numbers[0], numbers[numbers.count - 1])
        _ = try location.client().post(
            "/groups/\(pathSegment(group))/scale",
            body: ["min": Double(minimum), "max": Double(maximum)])
        Terminal.write("\(group): between \(minimum) and \(maximum) processes\n")
    }
}

/// `mooring reload`: reloads the configuration.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Reloads the configuration and applies what has changed.",
        usage: "mooring reload [options]",
        discussion: """
            Unchanged groups keep their processes, connections and counters. An invalid \
            configuration changes nothing.
            """)

    @OptionGroup var location: AdminLocation

    func run() throws {
        let body = try location.client().post("/reload").body
        let report: ReloadReport
        do {
            report = try AdminJSON.decode(ReloadReport.self, from: body)
        } catch {
            throw CommandFailure.failed("the balancer's answer is not understood: \(error)")
        }
        for (what, names) in [
            ("added", report.added), ("removed", report.removed), ("changed", report.changed),
            ("restarting", report.restarted),
        ] where !names.isEmpty {
            Terminal.write("\(what): \(names.joined(separator: ", "))\n")
        }
        if report.needsRestart.isEmpty == false {
            Terminal.write(
                "takes effect when Mooring restarts (mooring serve --takeover):"
                    + " \(report.needsRestart.joined(separator: ", "))\n")
        }
        for warning in report.warnings { Terminal.complain(warning) }
        Terminal.write("reloaded\n")
    }
}

/// One segment of an admin path.
func pathSegment(_ text: String) -> String {
    text.utf8.reduce(into: "") { result, byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."):
            result.unicodeScalars.append(UnicodeScalar(byte))
        default:
            result += byte < 16 ? "%0" : "%"
            result += String(byte, radix: 16, uppercase: true)
        }
    }
}
