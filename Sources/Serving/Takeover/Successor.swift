internal import Backends
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import Settings

/// Waits for a balancer that wants to take over: the running balancer's side of `Predecessor`.
///
/// On a separate thread, which blocks while it waits and sends events to the main thread. A
/// successor that disconnects before it is ready changes nothing.
final class SuccessorListener: Sendable {
    /// A successor that is ready: `answer` it when everything was handed over.
    struct Successor: Sendable {
        private let channel: TakeoverChannel
        /// Its pid; nil if unknown.
        var process: Int32? { channel.peerProcess }
        /// Accepts kept connections at any time; they are sent from `answer` on.
        let connections: ConnectionSender

        fileprivate init(_ channel: TakeoverChannel, log: Logger) {
            self.channel = channel
            connections = ConnectionSender(channel, log: log)
        }

        /// Everything belongs to it from now on; it receives connections until this program exits.
        func answer() throws(SystemError) {
            // If it has died meanwhile, the answer has no recipient.
            try? channel.send(.yours)
            try connections.start()
        }
    }

    private let listener: ControlListener
    private let admin: ProcessAddress
    private let log: Logger
    private let sockets: @Sendable () -> [(address: ListenerAddress, socket: ListeningSocket)]
    private let onReady: @Sendable (Successor) -> Void

    /// Listens; no successor is answered before `start`.
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

    /// Starts the thread, which runs until the program exits.
    func start() throws {
        try LoopThread.start(name: "control") { [self] in
            while let socket = listener.accept() { serve(TakeoverChannel(socket)) }
        }
    }

    /// No further program can connect; a successor may listen on the same path.
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
