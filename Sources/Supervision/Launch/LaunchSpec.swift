package import Backends
internal import Glibc
package import Settings

/// The launch settings of one spawned group.
package struct LaunchSpec: Sendable, Equatable {
    /// Program and arguments, with placeholders.
    ///
    /// `{socket}`, `{port}`, `{threads}`, `{group}` and `{process}` are replaced. A program without
    /// a slash is searched in the `PATH` of `environment`.
    package var command: [String]
    /// The working directory, an absolute path.
    package var directory: String
    /// The whole environment, except for what Mooring adds: see `LaunchEnvironment.base`.
    package var environment: [String: String]
    /// The variables with placeholders, which are replaced as in `command`.
    package var filledVariables: Set<String> = []
    /// Whether it is the Python host program, which listens on the socket it is given.
    private(set) var isHosted = false
    /// It is spoken to in FastCGI.
    package var speaksFastCGI = false
    /// Concurrent requests, passed to the process.
    package var threads: Int
    /// Whether `processes` was given, passed to the process (`wsgi.multiprocess`).
    package var multiprocess: Bool
    package var groupName: String
    /// The user and limits of the processes.
    package var isolation = Isolation()
    /// What happens to them when the balancer ends unexpectedly.
    package var onExit = OnExit.adopt
    /// Identifies everything that a process is started with.
    ///
    /// A process that an earlier balancer started with another fingerprint belongs to an older
    /// generation. At most 128 bytes, no control characters.
    package var fingerprint = ""
    /// Health checks of each process while it starts and runs; nil: accepting connections suffices.
    package var health: HealthPolicy?
    /// Bytes of memory (PSS, including child processes) above which a process is recycled; nil: no
    /// limit.
    package var maxMemory: Int64?
    /// The file for their output, instead of the log; an absolute path.
    ///
    /// Groups may share one.
    package var outputFile: String?
    /// What processes are kept by when a later balancer finds them and not their group.
    package var retirement: RetirementPolicy?

    package init(
        command: [String], directory: String, environment: [String: String], threads: Int,
        multiprocess: Bool, groupName: String
    ) {
        self.command = command
        self.directory = directory
        self.environment = environment
        self.threads = threads
        self.multiprocess = multiprocess
        self.groupName = groupName
    }

    /// A Python application under the host program.
    ///
    /// - Parameters:
    ///   - python: the interpreter.
    ///   - hostFile: `Supervisor.hostFile(inRuntimeDirectory:)`.
    ///   - stopTimeout: from SIGTERM to SIGKILL.
    package static func hosted(
        _ application: LaunchCheck.Application, python: String, hostFile: String,
        stopTimeout: Interval, directory: String, environment: [String: String], threads: Int,
        multiprocess: Bool, groupName: String
    ) -> LaunchSpec {
        var environment = environment
        // Python would otherwise buffer up to 8 KiB of output to a pipe.
        if environment["PYTHONUNBUFFERED"] == nil { environment["PYTHONUNBUFFERED"] = "1" }
        var command = [
            python, hostFile, "--app", application.name, "--interface", application.interface,
            "--server", application.server, "--threads", "{threads}",
        ]
        if application.interface == "asgi" {
            command += ["--stop-timeout", "\(Double(stopTimeout.nanoseconds) / 1e9)"]
        }
        var spec = LaunchSpec(
            command: command, directory: directory, environment: environment, threads: threads,
            multiprocess: multiprocess, groupName: groupName)
        spec.isHosted = true
        return spec
    }

    /// How a process gets its listening address.
    enum Listening {
        case socket
        case port
        /// Neither is named, so both are in its environment, and it chooses.
        case either
        /// On the socket that it finds as descriptor 0 (FastCGI specification 1.0 section 2.2).
        case inherited
    }

    var listening: Listening {
        let texts = command + filledVariables.compactMap { environment[$0] }
        if texts.contains(where: { $0.contains("{socket}") }) { return .socket }
        if texts.contains(where: { $0.contains("{port}") }) { return .port }
        if isHosted { return .socket }
        guard speaksFastCGI else { return .either }
        // Its master makes its sockets itself, by its own configuration.
        let program = command.first?.split(separator: "/").last ?? ""
        return program.hasPrefix("php-fpm") ? .socket : .inherited
    }

    /// The user that owns the processes' sockets; nil: the one that runs Mooring.
    package var userOfSocket: UInt32? {
        // One that is inherited is Mooring's, in a folder of Mooring's.
        if listening == .inherited { return nil }
        return isolation.switches(from: geteuid(), getegid()) ? isolation.account?.user : nil
    }

    /// The user that owns the processes' TCP ports.
    package var userOfPort: UInt32 { userOfSocket ?? geteuid() }

    /// The command of one process with placeholders replaced; other braces stay unchanged.
    func arguments(_ endpoint: ListeningEndpoint, label: String) -> [String] {
        let values = values(endpoint, label: label)
        return command.map { Self.fill($0, values) }
    }

    /// The environment of one process as `NAME=value`.
    ///
    /// What Mooring adds comes first and takes precedence, except for `HOST`.
    func environmentEntries(
        _ endpoint: ListeningEndpoint, label: String, notifySocket: String? = nil
    ) -> [String] {
        var added = [
            (LaunchEnvironment.processVariable, label), ("MOORING_GROUP", groupName),
            ("MOORING_THREADS", String(threads)),
            ("MOORING_MULTIPROCESS", multiprocess ? "1" : "0"),
        ]
        if let socket = endpoint.socket { added.append(("MOORING_SOCKET", socket)) }
        if let port = endpoint.port { added.append(("PORT", String(port))) }
        if endpoint.isChoice, environment["HOST"] == nil { added.append(("HOST", "127.0.0.1")) }
        if let notifySocket { added.append(("NOTIFY_SOCKET", notifySocket)) }
        if listening == .inherited {
            // PHP would end after 500 requests, and with it what it holds in memory.
            let limit = environment[Self.requestsOfPHP] ?? "0"
            added.append((Self.requestsOfPHP, limit))
        }
        let names = Set(added.map(\.0))
        let values = values(endpoint, label: label)
        let given = environment.filter { !names.contains($0.key) }.sorted { $0.key < $1.key }
            .map { name, value in
                (name, filledVariables.contains(name) ? Self.fill(value, values) : value)
            }
        return (added + given).map { "\($0.0)=\($0.1)" }
    }

    private static let requestsOfPHP = "PHP_FCGI_MAX_REQUESTS"

    private func values(_ endpoint: ListeningEndpoint, label: String) -> [String: String] {
        var values = [
            "threads": String(threads), "group": groupName, "process": label,
        ]
        if let socket = endpoint.socket { values["socket"] = socket }
        if let port = endpoint.port { values["port"] = String(port) }
        return values
    }

    /// One pass from left to right, so braces in an inserted value are not replaced.
    private static func fill(_ template: String, _ values: [String: String]) -> String {
        var filled = ""
        var rest = Substring(template)
        while let open = rest.firstIndex(of: "{") {
            filled += rest[..<open]
            rest = rest[open...]
            if let close = rest.firstIndex(of: "}"),
                let value = values[String(rest[rest.index(after: open)..<close])]
            {
                filled += value
                rest = rest[rest.index(after: close)...]
            } else {
                filled += "{"
                rest = rest.dropFirst()
            }
        }
        return filled + rest
    }
}
