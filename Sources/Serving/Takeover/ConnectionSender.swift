internal import Glibc
internal import Logging
internal import Reactor
internal import ReverseProxy

/// Sends client connections, with their sockets, to the balancer that has taken over.
///
/// On a separate thread, so that no loop waits for the other program; connections queue up before
/// `start`. If the successor is gone, they are closed, as they would be by its exit.
final class ConnectionSender: Sendable {
    private enum Item: Sendable {
        case connection(MovedConnection)
        case end(@Sendable () -> Void)
    }

    /// Small, so that several messages fit into the socket's buffer.
    private static let batch = 32

    private let channel: TakeoverChannel
    private let log: Logger
    private let items = WaitingQueue<Item>()

    init(_ channel: TakeoverChannel, log: Logger) {
        self.channel = channel
        self.log = log
    }

    /// Queues a connection; any thread.
    func send(_ connection: MovedConnection) { items.post(.connection(connection)) }

    /// Calls `done` when everything before it was sent; the last call.
    func finish(_ done: @escaping @Sendable () -> Void) { items.post(.end(done)) }

    /// Starts the thread, which ends with `finish`.
    func start() throws(SystemError) {
        try LoopThread.start(name: "handover") { [self] in run() }
    }

    private func run() {
        while true {
            var connections: [MovedConnection] = []
            for item in items.next(atMost: Self.batch) {
                switch item {
                case .connection(let connection): connections.append(connection)
                case .end(let done):
                    hand(connections)
                    return done()
                }
            }
            hand(connections)
        }
    }

    private func hand(_ connections: [MovedConnection]) {
        guard !connections.isEmpty else { return }
        // Each of these may fill a message.
        if connections.count > 1, connections.contains(where: { !$0.unread.isEmpty }) {
            for connection in connections { hand([connection]) }
            return
        }
        let message = TakeoverMessage.connections(
            connections.map { .init(listener: $0.listener, note: $0.note, unread: $0.unread) })
        do {
            try send(message, connections.map(\.socket.descriptor))
        } catch {
            log.warning(
                "\(connections.count) kept connections are closed: \(error); is the successor gone?"
            )
        }
        for connection in connections { connection.socket.close() }
    }

    private func send(_ message: TakeoverMessage, _ descriptors: [Int32]) throws(SystemError) {
        while true {
            do throws(SystemError) {
                return try channel.send(message, descriptors: descriptors)
            } catch  where error.errno == ETOOMANYREFS {
                // Too many descriptors are in transit to other programs (ETOOMANYREFS): they will
                // receive them soon.
                usleep(1000)
            }
        }
    }
}
