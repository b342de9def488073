internal import AdminAPI
internal import ArgumentParser
internal import Backends
internal import ConfigFile
internal import Glibc
internal import Serving

/// `mooring drain`: a process takes no new sessions and stops with its last one.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Takes a process out of service; it stops when its sessions have ended.",
        usage: "mooring drain [options] <process>",
        discussion: "A server stays out, also after a restart, until mooring up has it back.")

    @OptionGroup var location: AdminLocation
    @Argument(help: "The process's id, as mooring status shows it, or its first characters.")
    var process: String
    @Option(
        help: ArgumentHelp(
            "How long to wait for its sessions, instead of the group's drain_timeout.",
            valueName: "duration"))
    var timeout: String?
    @Flag(help: "Wait until it has stopped, and show its progress.")
    var wait = false

    func run() throws {
        var body: [String: Double] = [:]
        if let timeout {
            guard let span = DurationText.parse(timeout), span <= DurationText.longest else {
                throw CommandFailure.usage(
                    "--timeout \(timeout): not a duration; write it as 30s, 15m or 2h")
            }
            body["timeout_seconds"] = span.seconds
        }
        let client = try location.client()
        let answer = try client.post("/processes/\(pathSegment(process))/drain", body: body)
        let process = answer.text("process") ?? process
        Terminal.write("process \(process) takes no new sessions\n")
        if wait { try DrainWatch(client: client, process: process).run() }
    }
}

/// `mooring stop`: stops a process now.
struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stops a process now; its sessions are lost.",
        usage: "mooring stop [options] <process>",
        discussion: """
            Use mooring drain to let its sessions end first. A server is not stopped, but out of \
            service, also after a restart, until mooring up has it back; its sessions move.
            """)

    @OptionGroup var location: AdminLocation
    @Argument(help: "The process's id, as mooring status shows it, or its first characters.")
    var process: String

    func run() throws {
        let answer = try location.client().post("/processes/\(pathSegment(process))/stop")
        let process = answer.text("process") ?? process
        Terminal.write("process \(process) is stopping\n")
    }
}

/// `mooring up`: puts a server back into service.
struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Puts a server back into service that was drained or stopped, or is down.",
        usage: "mooring up [options] <server>")

    @OptionGroup var location: AdminLocation
    @Argument(help: "The server's name or address, as mooring status shows it.")
    var server: String

    func run() throws {
        let answer = try location.client().post("/processes/\(pathSegment(server))/up")
        let server = answer.text("process") ?? server
        Terminal.write("server \(server) takes sessions again\n")
    }
}

/// Shows the remaining sessions of a draining process until it is gone.
struct DrainWatch {
    let client: AdminClient
    let process: String
    private static let pauseMicroseconds: UInt32 = 250_000

    func run() throws {
        var shown = ""
        while let document = try find() {
            // A server stays in the table.
            if document.state == "down" {
                Terminal.write("server \(process) has no sessions any more\n")
                return
            }
            var parts = [
                "\(document.sessions) sessions", "\(document.tunnels) tunnels",
                "\(document.inFlight + document.queued) requests",
            ]
            if let left = document.drainSecondsLeft { parts.append("at most \(Int(left)) s") }
            var line = "\(document.state): \(parts.joined(separator: ", ")) left"
            if let left = document.keptSecondsLeft {
                line +=
                    "; kept for sessions from before the restart, for \(Int(left)) s at the latest"
            }
            line += "\n"
            if line != shown { Terminal.write(line) }
            shown = line
            usleep(Self.pauseMicroseconds)
        }
        Terminal.write("process \(process) has ended\n")
    }

    private func find() throws -> ProcessDocument? {
        let stats = try client.stats()
        return stats.groups.flatMap(\.processes).first { $0.id == process }
    }
}

/// Waits for the outcome of a new generation.
struct RolloutWatch {
    let client: AdminClient
    let group: String
    let generation: Int
    private static let pauseMicroseconds: UInt32 = 100_000

    func run() throws {
        while true {
            guard let document = try client.stats().groups.first(where: { $0.name == group }) else {
                throw CommandFailure.failed("the group \(group) has been taken away meanwhile")
            }
            if let rollout = document.rollout, rollout.generation == generation,
                rollout.state == "failed"
            {
                let reason = rollout.reason ?? "its processes did not get ready"
                let output = StatusTable.output(of: document.spawn.lastFailure)
                throw CommandFailure.failed(
                    ([
                        "generation \(generation) of \(group) did not start and is given up, the old"
                            + " one serves on: \(Terminal.printable(reason))"
                    ] + output).joined(separator: "\n"))
            }
            if document.generation >= generation, document.rollout == nil {
                Terminal.write("generation \(generation) of \(group) serves\n")
                return
            }
            usleep(Self.pauseMicroseconds)
        }
    }
}
