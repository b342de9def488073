internal import Backends
internal import Glibc
internal import Logging
internal import Reactor
internal import ReverseProxy

/// Waits for a balancer that wants to take over: the running one's side of `Predecessor`.
///
/// One thread, which blocks where it waits; what is to be done is told to the main thread. A
/// successor that goes away before it is ready changes nothing.
final class SuccessorListener: Sendable {
    /// A successor that is ready: to be answered when everything is handed over.
    struct Successor: Sendable {
        fileprivate let control: ControlSocket
        /// Its pid; nil when it cannot be told.
        var process: Int32? { control.peerProcess }
        /// Takes kept connections at any time; they are on their way from `answer` on.
        let connections: ConnectionSender

        fileprivate init(control: ControlSocket, log: Logger) {
            self.control = control
            connections = ConnectionSender(control, log: log)
        }

        /// Everything is its own from now on; until the end of this program it is sent connections.
        func answer() throws(SystemError) {
            // If it has died meanwhile there is nobody to tell.
            try? control.send("yours")
            try connections.start()
        }
    }

    private let listener: ControlListener
    private let admin: ProcessAddress
    private let log: Logger
    private let sockets: @Sendable () -> [(place: ListenerSettings.Place, socket: ListeningSocket)]
    private let onReady: @Sendable (Successor) -> Void

    /// Listens; nobody is answered before `start`.
    ///
    /// - Throws: `ServingError`.
    init(
        runtimeFolder: String, admin: ProcessAddress, log: Logger,
        sockets:
            @escaping @Sendable () -> [(
                place: ListenerSettings.Place, socket: ListeningSocket
            )],
        onReady: @escaping @Sendable (Successor) -> Void
    ) throws {
        do {
            listener = try ControlListener(path: Predecessor.path(inRuntimeFolder: runtimeFolder))
        } catch {
            throw ServingError.failed("cannot open the control socket: \(error)")
        }
        self.admin = admin
        self.log = log
        self.sockets = sockets
        self.onReady = onReady
    }

    /// Starts the thread, which ends with the program.
    func start() throws {
        try LoopThread.start(name: "control") { [self] in
            while let control = listener.accept() { serve(control) }
        }
    }

    /// Nobody can come any more; a successor may listen at the same path.
    func removePath() { listener.removePath() }

    private func serve(_ control: ControlSocket) {
        guard control.peerUser == geteuid() || control.peerUser == 0 else {
            log.warning("another user's program may not take over")
            return control.close()
        }
        do {
            guard try control.receive().line == Predecessor.greeting else {
                return control.close()
            }
            let listening = sockets()
            let words = [ListenerSettings.Place.address(admin).word] + listening.map(\.place.word)
            try control.send(
                (["sockets"] + words).joined(separator: " "),
                descriptors: listening.map(\.socket.descriptor))
            guard try control.receive().line == "ready" else { return control.close() }
        } catch {
            log.debug("somebody came to take over and went", metadata: ["reason": "\(error)"])
            return control.close()
        }
        onReady(Successor(control: control, log: log))
    }
}
