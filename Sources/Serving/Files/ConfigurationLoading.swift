package import Backends
package import ConfigFile
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import Reactor

/// From files and options to a validated configuration, with all problems reported together.
package enum ConfigurationLoading {
    /// The file that is used when none is named.
    package static let defaultFile = "mooring.toml"
    private static let sizeLimit = 4 * 1024 * 1024

    /// Reads and validates a file.
    ///
    /// - Throws: `ConfigurationProblems` with all of them, or `ServingError` when it cannot be read.
    package static func file(_ path: String) throws -> Configuration { try accepted(examine(path)) }

    /// Reads a file and collects its problems.
    ///
    /// - Throws: `ServingError` when it is unreadable.
    static func examine(_ path: String) throws -> ConfigurationReader.Reading {
        ConfigurationReader.examine(
            text: try read(path), file: path, folder: folder(of: path), environment: environment,
            isRoot: geteuid() == 0)
    }

    /// The same for a command line.
    static func examine(_ request: RunRequest) -> ConfigurationReader.Reading {
        ConfigurationReader.examine(
            request, folder: currentFolder, environment: environment, isRoot: geteuid() == 0)
    }

    /// Starts a JSON log if the file selects it, so that the file's problems are logged in that
    /// format too.
    package static func startLog(as path: String) throws {
        guard let text = try? read(path), let log = ConfigurationReader.readLog(text: text),
            log.format == .json
        else { return }
        _ = try ProgramLog.start(.json, Logger.Level(log.level))
    }

    /// Reads a file again while the program runs.
    ///
    /// - Throws: `ServingError` whose message has all problems.
    static func reread(_ path: String) throws -> Configuration {
        try examine(path).result.mapError { ServingError.invalid("\($0)") }.get()
    }

    /// The named file, else `mooring.toml` here, else what `mooring run` serves here.
    package static func fileOrDefaults(_ path: String?) throws -> Configuration {
        if let path { return try file(path) }
        if unsafe access(defaultFile, F_OK) == 0 { return try file(defaultFile) }
        let running = ProjectFolders.running(in: currentFolder, environment: environment)
        guard running.count <= 1 else {
            let all = running.map { "--admin unix:\($0)/admin.sock" }.joined(separator: "\n  ")
            throw ServingError.invalid("several applications run here; name one:\n  \(all)")
        }
        var request = RunRequest(.command(["true"]))
        request.runtimeDirectory = running.first
        return try accepted(examine(request))
    }

    /// The token's file, if the configuration here belongs to the balancer at that address.
    ///
    /// Sending the token to another program would leak it.
    package static func tokenFile(ofBalancerAt address: ProcessAddress) -> String? {
        guard let configuration = try? reread(defaultFile),
            configuration.admin.address == address
        else { return nil }
        return configuration.admin.tokenFile
    }

    /// The configuration of a `mooring run`, checked on this machine.
    ///
    /// - Throws: `ConfigurationProblems` with all of them.
    static func app(_ request: RunRequest) throws(ConfigurationProblems) -> Configuration {
        let reading = examine(request)
        let known = reading.problems.count
        let problems = Examination(reading).problems
        guard let configuration = reading.configuration, problems.isEmpty else {
            throw ConfigurationProblems(
                reading.problems + problems[known...].map(ConfigurationReader.named))
        }
        return configuration
    }

    /// Whether a variable is missing from Mooring's own environment.
    package static func lacks(variable name: String) -> Bool { environment[name] == nil }

    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// Reports the configuration's problems together with those of the machine.
    private static func accepted(
        _ reading: ConfigurationReader.Reading
    ) throws(ConfigurationProblems) -> Configuration {
        if let configuration = reading.configuration, reading.problems.isEmpty {
            return configuration
        }
        throw ConfigurationProblems(Examination(reading).problems)
    }

    private static func read(_ path: String) throws -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw missing(path, errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw missing(path, errno) }
            if count == 0 { break }
            content += block[..<count]
            guard content.count <= sizeLimit else {
                throw ServingError.invalid("\(path) is larger than 4 MiB; this is no configuration")
            }
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw ServingError.invalid("\(path) is not UTF-8 text")
        }
        return text
    }

    private static func missing(_ path: String, _ code: Int32) -> ServingError {
        guard code == ENOENT, path == defaultFile else {
            return .invalid("cannot read \(path): \(SystemError.message(code))")
        }
        return .invalid(
            """
            there is no \(defaultFile) here; either name a file:
              mooring serve -c /path/to/mooring.toml
            or serve one application without a file:
              mooring run app.wsgi --processes 3 --threads 10
            """)
    }

    /// The absolute folder of a file.
    private static func folder(of path: String) -> String {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        if path.hasPrefix("/") { return folder.isEmpty ? "/" : folder }
        let here = currentFolder
        return folder.isEmpty || folder == "." ? here : "\(here)/\(folder)"
    }

    /// The folder in which the program was started, absolute.
    package static var currentFolder: String {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}
