internal import Glibc
internal import Reactor

/// The control socket between two balancers, which carries messages and descriptors.
///
/// Blocking, and closed once by its owner. Every wait has a limit: see `ControlSocket`.
struct TakeoverChannel: Sendable {
    /// A received message; the descriptors belong to the receiver.
    struct Received {
        let message: TakeoverMessage
        let descriptors: [Int32]

        /// Closes unused descriptors.
        func drop() { for descriptor in descriptors { Glibc.close(descriptor) } }
    }

    private let socket: ControlSocket

    init(_ socket: ControlSocket) { self.socket = socket }

    /// The control socket's path.
    static func path(inRuntimeFolder folder: String) -> String { "\(folder)/control.sock" }

    /// Whether to trust the peer: it is this user's program, or root's.
    var isTrusted: Bool { socket.peerUser == geteuid() || socket.peerUser == 0 }

    /// The peer's pid; nil if unknown.
    var peerProcess: Int32? { socket.peerProcess }

    /// Sends a message with descriptors, which stay open here.
    func send(_ message: TakeoverMessage, descriptors: [Int32] = []) throws(SystemError) {
        try socket.send(message.line, descriptors: descriptors)
    }

    /// Waits for the next message.
    ///
    /// - Throws: as `ControlSocket.receive`; EPROTO for an unknown line.
    func receive() throws(SystemError) -> Received {
        let received = try socket.receive()
        guard let message = TakeoverMessage(received.line) else {
            for descriptor in received.descriptors { Glibc.close(descriptor) }
            throw Self.unexpected(received.line)
        }
        return Received(message: message, descriptors: received.descriptors)
    }

    /// Waits for a message without content.
    ///
    /// - Throws: as `receive`; EPROTO for any other message.
    func receive(_ expected: TakeoverMessage) throws(SystemError) {
        let received = try receive()
        received.drop()
        if received.message != expected { throw Self.unexpected(received.message.line) }
    }

    /// The peer has sent a message that is not expected now.
    static func unexpected(_ line: String) -> SystemError {
        SystemError(call: String(line.prefix(80)), errno: EPROTO)
    }

    func close() { socket.close() }
}
