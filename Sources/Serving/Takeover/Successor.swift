internal import Backends
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import Settings

/// Waits for a balancer that wants to take over: the running one's side of `Predecessor`.
///
/// One thread, which blocks where it waits; what is to be done is told to the main thread. A
/// successor that goes away before it is ready changes nothing.
final class SuccessorListener: Sendable {
    /// A successor that is ready: to be answered when everything is handed over.
    struct Successor: Sendable {
        private let channel: TakeoverChannel
        /// Its pid; nil when it cannot be known.
        var process: Int32? { channel.peerProcess }
        /// Takes kept connections at any time; they are on their way from `answer` on.
        let connections: ConnectionSender

        fileprivate init(_ channel: TakeoverChannel, log: Logger) {
            self.channel = channel
            connections = ConnectionSender(channel, log: log)
        }

        /// Everything is its own from now on; until the end of this program it is sent connections.
        func answer() throws(SystemError) {
            // If it has died meanwhile there is nobody to tell.
            try? channel.send(.yours)
            try connections.start()
        }
    }

    private let listener: ControlListener
    private let admin: ProcessAddress
    private let log: Logger
    private let sockets: @Sendable () -> [(address: ListenerAddress, socket: ListeningSocket)]
    private let onReady: @Sendable (Successor) -> Void

    /// Listens; nobody is answered before `start`.
    ///
    /// - Throws: `ServingError`.
    init(
        runtimeFolder: String, admin: ProcessAddress, log: Logger,
        sockets:
            @escaping @Sendable () -> [(
                address: ListenerAddress, socket: ListeningSocket
            )],
        onReady: @escaping @Sendable (Successor) -> Void
    ) throws {
        do {
            listener = try ControlListener(
                path: TakeoverChannel.path(inRuntimeFolder: runtimeFolder))
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
            while let socket = listener.accept() { serve(TakeoverChannel(socket)) }
        }
    }

    /// Nobody can come any more; a successor may listen at the same path.
    func removePath() { listener.removePath() }

    private func serve(_ channel: TakeoverChannel) {
        guard channel.isTrusted else {
            log.warning("another user's program may not take over")
            return channel.close()
        }
        do {
            try channel.receive(.greeting)
            let listening = sockets()
            try channel.send(
                .sockets(admin: .address(admin), listeners: listening.map(\.address)),
                descriptors: listening.map(\.socket.descriptor))
            try channel.receive(.ready)
        } catch {
            log.debug("a take-over was not completed", metadata: ["reason": "\(error)"])
            return channel.close()
        }
        onReady(Successor(channel, log: log))
    }
}
