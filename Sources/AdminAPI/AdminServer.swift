internal import Backends
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// The admin API as a service: it runs until it is shut down gracefully.
///
/// Runs once. `waitUntilBound` may be called from anywhere, before and after. Do not cancel its
/// task: NIO traps on a connection that is accepted at the instant of a cancellation. A program
/// about to exit calls `removeSocket` and lets it run.
package final class AdminServer: Service {
    private enum Binding {
        case pending([CheckedContinuation<String, any Error>])
        case bound(String)
        case failed(any Error)
    }

    private let settings: AdminSettings
    private let hosts: HostPolicy
    private let table: ConnectionTable
    private let router: Router<BasicRequestContext>.Responder
    private let log: Logger
    private let binding = Mutex(Binding.pending([]))
    private let socketFile = Mutex<UnixSocketFile?>(nil)
    private let listening = Mutex<(any Channel)?>(nil)
    /// For connections accepted a moment ago: NIO traps on one that it has not delivered yet when
    /// its listener closes.
    private static let lastAccept = Duration.milliseconds(50)

    /// Opens nothing yet.
    ///
    /// - Parameter node: the host name, which a request may name when the API is bound to every
    ///   address of the machine.
    package init(
        settings: AdminSettings, node: String, source: any AdminSource,
        controls: any AdminControls, log: Logger
    ) {
        self.settings = settings
        self.log = log
        hosts = HostPolicy(address: settings.address, node: node)
        table = ConnectionTable(most: settings.connections, reserve: settings.reserve)
        router = adminRouter(settings: settings, hosts: hosts, source: source, controls: controls)
            .buildResponder()
    }

    /// Binds and serves.
    ///
    /// - Throws: `AdminError` when it cannot listen.
    package func run() async throws {
        do {
            switch settings.address {
            case .tcp(let host, let port):
                try await serve(.hostname(host, port: Int(port))) { [settings] channel in
                    let port = channel.localAddress?.port.flatMap { UInt16(exactly: $0) } ?? port
                    guard case .tcp(let host, _) = settings.address else { return "" }
                    return text(of: .tcp(host: host, port: port))
                }
            case .unix(let path):
                let file = try await UnixSocketFile(path: path)
                socketFile.withLock { $0 = file }
                defer { removeSocket() }
                try await serve(.unixDomainSocket(path: file.bindPath)) { _ in
                    try file.publish()
                    return "unix:\(path)"
                }
            }
        } catch {
            settle(.failed(error))
            throw error
        }
        settle(.failed(CancellationError()))
    }

    /// The address once the API can be reached, with the real port if 0 was requested.
    ///
    /// - Throws: the error of `run`, if it ended before.
    package func waitUntilBound() async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            let known = binding.withLock { binding -> Binding in
                if case .pending(let waiting) = binding {
                    binding = .pending(waiting + [continuation])
                }
                return binding
            }
            switch known {
            case .pending: break
            case .bound(let address): continuation.resume(returning: address)
            case .failed(let error): continuation.resume(throwing: error)
            }
        }
    }

    /// Removes the socket's file; open connections continue.
    ///
    /// Harmless when there is none.
    package func removeSocket() {
        socketFile.withLock { file in
            file?.remove()
            file = nil
        }
    }

    /// Releases its TCP port, for another program to listen there; open connections continue.
    ///
    /// A unix socket keeps listening, since removing its file suffices. `run` ends when the last
    /// connection has closed. Repeated calls are harmless.
    package func stopListening() async {
        guard case .tcp = settings.address,
            let channel = listening.withLock({ channel in
                defer { channel = nil }
                return channel
            })
        else { return }
        // Each of these fails only when it is closed already.
        try? await channel.setOption(.autoRead, value: false).get()
        try? await Task.sleep(for: Self.lastAccept)
        try? await channel.close()
    }

    /// The application, for tests that need no socket.
    func application() -> Application<RouterResponder<BasicRequestContext>> {
        makeApplication(address: .hostname("127.0.0.1", port: 0)) { _ in }
    }

    private func serve(
        _ address: BindAddress, published: @escaping @Sendable (any Channel) throws -> String
    ) async throws {
        let failure = Mutex<(any Error)?>(nil)
        let application = makeApplication(address: address) { channel in
            self.listening.withLock { $0 = channel }
            do {
                self.settle(.bound(try published(channel)))
            } catch {
                failure.withLock { $0 = error }
                channel.close(promise: nil)
            }
        }
        do {
            try await application.run()
        } catch let error as IOError {
            throw AdminError(
                "cannot listen on \(text(of: settings.address)) (admin):"
                    + " \(errorMessage(error.errnoCode)); set [admin] address to a free one")
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func makeApplication(
        address: BindAddress, onServerRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> Application<RouterResponder<BasicRequestContext>> {
        // Its own "server started" is redundant: the caller logs the bound address.
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        return Application(
            responder: router,
            server: HTTPServerBuilder { [settings, hosts, table] responder in
                AdminChannel(
                    responder: responder, settings: settings, hosts: hosts, table: table)
            },
            configuration: ApplicationConfiguration(address: address),
            onServerRunning: onServerRunning,
            logger: quiet)
    }

    /// Sets the outcome of binding; only the first one counts for waiting callers.
    private func settle(_ outcome: Binding) {
        let waiting = binding.withLock { binding in
            defer { binding = outcome }
            if case .pending(let waiting) = binding { return waiting }
            return []
        }
        for continuation in waiting {
            switch outcome {
            case .pending: break
            case .bound(let address): continuation.resume(returning: address)
            case .failed(let error): continuation.resume(throwing: error)
            }
        }
    }
}
