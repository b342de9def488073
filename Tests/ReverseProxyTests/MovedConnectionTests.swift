internal import HTTPWire
internal import Reactor
internal import Settings
internal import Testing

@testable internal import ReverseProxy

@Suite struct MovedConnectionTests {
    private static let listener = ListenerAddress.inherited(name: "http")
    private static let socket = StreamSocket(descriptor: 7)

    @Test(arguments: [
        MovedConnection(socket: socket, listener: listener, stage: .untouched, address: nil),
        MovedConnection(
            socket: socket, listener: listener, stage: .fresh,
            address: IPAddress(v4: 0xc000_0207)),
        MovedConnection(
            socket: socket, listener: listener, stage: .kept, isSecure: true,
            address: IPAddress(high: .max, low: 1)),
    ])
    func `a note contains all that the other balancer needs`(_ connection: MovedConnection) {
        #expect(
            MovedConnection(
                socket: Self.socket, listener: Self.listener, note: connection.note) == connection)
        #expect(!connection.note.contains(" "))
    }

    @Test(arguments: ["", "k", "x:c", "k:x", "k:c:1", "k:c:1:", "k:c:1:x", "k:c:1:2:3"])
    func `what is no note is not taken for one`(_ note: String) {
        #expect(
            MovedConnection(socket: Self.socket, listener: Self.listener, note: note) == nil)
    }

    @Test func `more than fits into a message is not taken`() {
        let unread = [UInt8](repeating: 0, count: MovedConnection.longestUnread + 1)
        #expect(
            MovedConnection(
                socket: Self.socket, listener: Self.listener, note: "k:c", unread: unread) == nil)
    }
}
