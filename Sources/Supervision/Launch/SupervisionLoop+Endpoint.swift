internal import Backends
internal import Glibc
internal import Reactor

/// The endpoint of a new process.
extension SupervisionLoop {
    func endpoint(
        for launch: LaunchSpec, label: String
    ) throws(SpawnFailure) -> ListeningEndpoint {
        switch launch.listening {
        case .socket: ListeningEndpoint(socket: try socketPath(for: launch, label: label))
        case .inherited:
            ListeningEndpoint(inheritedAt: try socketPath(for: launch, label: label))
        case .port: ListeningEndpoint(port: try freePort())
        case .either:
            ListeningEndpoint(
                socket: try socketPath(for: launch, label: label), port: try freePort())
        }
    }

    private func socketPath(
        for launch: LaunchSpec, label: String
    ) throws(SpawnFailure) -> String {
        guard let account = launch.isolation.account, launch.userOfSocket != nil else {
            return directory.socketPath(label: label)
        }
        return try directory.socketPath(label: label, for: account)
    }

    /// A port that was free a moment ago over IPv4 and IPv6, and that no process of ours was given.
    ///
    /// Another program may take it first, which makes the start fail: see `PortHolder`. Sockets
    /// have no such race.
    private func freePort() throws(SpawnFailure) -> UInt16 {
        let taken = Set(processes.values.compactMap(\.endpoint.port))
        for _ in 0..<16 {
            do {
                let listener = try ListeningSocket(try .tcp("127.0.0.1", 0), backlog: 1)
                defer { listener.close() }
                let port = UInt16(truncatingIfNeeded: listener.address.port)
                if port != 0, !taken.contains(port), isFreeOverIPv6(port) { return port }
            } catch {
                throw SpawnFailure(error)
            }
        }
        throw SpawnFailure(errno: EADDRINUSE, step: "free port")
    }

    /// Without IPv6 nothing can listen there.
    private func isFreeOverIPv6(_ port: UInt16) -> Bool {
        do {
            try ListeningSocket(try .tcp("::1", port), backlog: 1).close()
            return true
        } catch {
            return error.errno != EADDRINUSE
        }
    }
}
