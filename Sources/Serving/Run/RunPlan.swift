internal import Backends
package import ConfigFile
internal import Reactor
internal import Settings
internal import Supervision

/// From the command line of `mooring run` to a configuration that works on this machine.
package enum RunPlan {
    /// The default port of an application, or the first to try.
    private static let firstPort: UInt16 = 8080

    /// The configuration for a request, with the project's own folders and a free port.
    ///
    /// Creates the folders. A port that is free now may be taken by the time it is bound, which is
    /// an ordinary failure then.
    ///
    /// - Parameter folder: the project's, absolute.
    /// - Throws: `ConfigurationProblems` with all of them, or `ServingError` without room for
    ///   folders.
    package static func configuration(
        of request: RunRequest, in folder: String
    ) throws -> Configuration {
        var request = request
        let folders = try ProjectFolders.free(
            for: request.application, in: folder, environment: ConfigurationLoading.environment)
        request.stateDirectory = folders.state
        request.runtimeDirectory = folders.runtime
        try folders.remember(request.application)
        if request.listen.isEmpty { try chooseAddress(&request, folders) }
        chooseInterface(&request)
        return try ConfigurationLoading.app(request)
    }

    /// WSGI or ASGI, whichever the application is of.
    private static func chooseInterface(_ request: inout RunRequest) {
        guard case .python(let name) = request.application else { return }
        let configuration = ConfigurationLoading.examine(request).configuration
        guard let group = configuration?.groups.first, let launch = group.launch,
            let spec = try? ServingPlan.spec(
                launch, of: group, hostFile: "", environment: ConfigurationLoading.environment),
            let interface = LaunchCheck.interface(
                ofApplication: name, like: spec,
                patience: group.policy.startTimeout.nanoseconds)
        else { return }
        request.interface = .init(rawValue: interface) ?? .wsgi
    }

    /// Describes killed runs that left processes in the folder, one sentence each.
    ///
    /// - Parameters:
    ///   - folder: the project's, absolute.
    ///   - own: the state folder of the run that begins.
    package static func leftBehind(in folder: String, besides own: String) -> [String] {
        ProjectFolders.left(
            in: folder, besides: own, environment: ConfigurationLoading.environment
        ).map { left in
            let name = left.application.map { "mooring run \(Terminal.printable($0))" }
            let pids = left.pids.map { "-\($0)" }.joined(separator: " ")
            return """
                processes of \(name ?? "another run here"), which was killed, live on: begin it again \
                to take them over, or end them by kill -- \(pids)
                """
        }
    }

    /// Selects the project's last port, or the next free one, since several projects may run at
    /// once.
    ///
    /// Browsers send the cookies of one port to all others of the host, so the cookie names differ.
    private static func chooseAddress(
        _ request: inout RunRequest, _ folders: ProjectFolders
    ) throws {
        let ports = firstPort..<firstPort + 100
        let last = folders.lastPort.flatMap { ports.contains($0) ? [$0] : nil } ?? []
        let free = (last + ports).first { port in
            (try? SocketAddress.tcp("127.0.0.1", port))?.bindingFailure() == nil
        }
        if let free { try folders.remember(port: free) }
        guard let free, free != firstPort else { return }
        request.listen = ["127.0.0.1:\(free)"]
        request.cookie = "mooring-\(free)"
    }
}
