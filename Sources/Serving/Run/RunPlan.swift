package import ConfigFile
internal import Reactor

/// From the command line of `mooring run` to a configuration that works on this machine.
package enum RunPlan {
    /// Where an application is served unless the command line says so, or the next port that is free.
    private static let firstPort: UInt16 = 8080

    /// The configuration that a request stands for, with folders of the project's own and a free port.
    ///
    /// The folders are made. A port that is free now may be taken by the time it is listened on, which
    /// is an ordinary failure then.
    /// - Parameter folder: the project's, absolute.
    /// - Throws: `ConfigurationProblems` with all of them, or `ServingError` without room for folders.
    package static func configuration(
        of request: RunRequest, in folder: String
    ) throws -> Configuration {
        var request = request
        let folders = try ProjectFolders.free(
            for: request.application, in: folder, environment: ConfigurationLoading.environment)
        request.stateDirectory = folders.state
        request.runtimeDirectory = folders.runtime
        if request.listen.isEmpty { chooseAddress(&request) }
        return try ConfigurationLoading.app(request)
    }

    /// Several projects can be served at once, each at the next free port.
    ///
    /// Browsers send the cookies of one port to all others of the host, so those have names of their
    /// own.
    private static func chooseAddress(_ request: inout RunRequest) {
        let free = (firstPort..<firstPort + 100).first { port in
            (try? SocketAddress.tcp("127.0.0.1", port))?.bindingFailure() == nil
        }
        guard let free, free != firstPort else { return }
        request.listen = ["127.0.0.1:\(free)"]
        request.cookie = "mooring-\(free)"
    }
}
