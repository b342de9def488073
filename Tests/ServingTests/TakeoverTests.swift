internal import Backends
internal import Glibc
internal import Reactor
internal import ReverseProxy
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Serving

/// Both sides of a take-over in one program, over a control socket of its own.
@Suite struct TakeoverTests {
    private let folder = TemporaryFolder()
    private let admin = ProcessAddress.unix(path: "/run/m/admin.sock")
    private let web = ListenerAddress.inherited(name: "web front")

    /// A running balancer that listens at one address.
    private func running(
        _ socket: ListeningSocket,
        onReady: @escaping @Sendable (SuccessorListener.Successor) -> Void
    ) throws -> SuccessorListener {
        let web = web
        let listener = try SuccessorListener(
            runtimeFolder: folder.path, admin: admin, log: silentLog,
            sockets: { [(web, socket)] }, onReady: onReady)
        try listener.start()
        return listener
    }

    private func listening() throws -> ListeningSocket { try ListeningSocket(.tcp("127.0.0.1", 0)) }

    /// The two ends of a client's connection.
    private func connection() throws -> (client: Int32, server: Int32) {
        var ends: [Int32] = [-1, -1]
        try SystemError.check(
            unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends), "socketpair")
        return (ends[0], ends[1])
    }

    @Test func `a successor gets the sockets, then the word, then the connections`() throws {
        let socket = try listening()
        defer { socket.close() }
        let (client, server) = try connection()
        defer { close(client) }
        let web = web
        let running = try running(socket) { successor in
            #expect(successor.process == getpid())
            let kept = MovedConnection(
                socket: StreamSocket(descriptor: server), listener: web, note: "k:c",
                unread: Array("GET /".utf8))
            // What is sent before the answer waits for it.
            if let kept { successor.connections.send(kept) }
            #expect(throws: Never.self) { try successor.answer() }
            successor.connections.finish {}
        }
        let predecessor = try Predecessor(runtimeFolder: folder.path)
        #expect(predecessor.admin == .address(admin))
        #expect(Array(predecessor.listeners.keys) == [web])
        try predecessor.handOver()
        let taken = WaitingQueue<MovedConnection>()
        try LoopThread.start(name: "test") {
            predecessor.receiveConnections(log: silentLog) { taken.post($0) }
        }
        let moved = taken.next()
        #expect(moved.listener == web)
        #expect(moved.note == "k:c")
        #expect(moved.unread == Array("GET /".utf8))
        var byte: UInt8 = 42
        #expect(unsafe write(moved.socket.descriptor, &byte, 1) == 1)
        byte = 0
        #expect(unsafe read(client, &byte, 1) == 1 && byte == 42)
        moved.socket.close()
        for socket in predecessor.listeners.values { socket.leave() }
        running.removePath()
    }

    @Test func `a successor that goes before it is ready leaves room for the next`() throws {
        let socket = try listening()
        defer { socket.close() }
        let ready = WaitingQueue<Bool>()
        let running = try running(socket) { successor in
            ready.post(true)
            try? successor.answer()
            successor.connections.finish {}
        }
        try Predecessor(runtimeFolder: folder.path).giveUp()
        let second = try Predecessor(runtimeFolder: folder.path)
        try second.handOver()
        // The first was never ready, so this is the second.
        #expect(ready.next())
        #expect(ready.next(within: 0) == nil)
        second.giveUp()
        running.removePath()
    }

    @Test func `where no balancer runs nothing is taken over`() {
        #expect { try Predecessor(runtimeFolder: folder.path) } throws: { error in
            (error as? ServingError)?.kind == .unreachable
        }
    }

    @Test(arguments: ["nonsense", "sockets", "ready", "sockets ? fd:a", "connections"])
    func `a balancer that answers something else is not taken over from`(_ answer: String) throws {
        let listener = try ControlListener(
            path: TakeoverChannel.path(inRuntimeFolder: folder.path))
        try LoopThread.start(name: "test") {
            guard let control = listener.accept() else { return }
            _ = try? control.receive()
            try? control.send(answer)
            control.close()
        }
        #expect { try Predecessor(runtimeFolder: folder.path) } throws: { error in
            let failure = error as? ServingError
            return failure?.kind == .failed && failure?.message.contains("serves on") == true
        }
    }
}
