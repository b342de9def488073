internal import CLinux

/// A blocking unix connection between two programs of one user: lines of text, and descriptors.
///
/// Each line is a message of its own (SOCK_SEQPACKET), so it needs no terminator and cannot be
/// split.
///
/// Just a descriptor, closed by its owner. Every wait has a limit.
package struct ControlSocket: Sendable {
    /// A received line, and the descriptors sent with it.
    package struct Message: Sendable {
        package var line: String
        package var descriptors: [Int32]
    }

    /// The longest time for one read or write, in milliseconds.
    private static let patience: Int32 = 30_000
    private static let lineLimit = 64 * 1024

    private let descriptor: Int32

    /// Connects to a program that listens at a path.
    ///
    /// - Throws: `SystemError`; ENOENT or ECONNREFUSED when no program listens.
    package init(connectingTo path: String) throws(SystemError) {
        descriptor = try SystemError.check(
            unsafe path.withCString { unsafe mooring_control_connect($0, Self.patience) },
            "connect \(path)")
    }

    fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

    /// The most descriptors per line.
    package static let mostDescriptors = Int(MOORING_MOST_DESCRIPTORS)

    /// Sends one line with descriptors, which stay open here.
    package func send(_ line: String, descriptors: [Int32] = []) throws(SystemError) {
        let bytes = Array(line.utf8)
        try SystemError.check(
            unsafe mooring_send_with(
                descriptor, bytes, bytes.count, descriptors, Int32(descriptors.count)),
            "send")
    }

    /// Waits for the next line; the descriptors that came with it belong to the caller.
    ///
    /// - Throws: `SystemError`: ECONNRESET when the peer has closed, EAGAIN when it is silent for
    ///   too long, EMSGSIZE when the line is too long or there is no room for its descriptors.
    package func receive() throws(SystemError) -> Message {
        var bytes = [UInt8](repeating: 0, count: Self.lineLimit)
        var descriptors = [Int32](repeating: -1, count: Int(MOORING_MOST_DESCRIPTORS))
        var count = Int32(descriptors.count)
        let got = unsafe mooring_receive_with(
            descriptor, &bytes, bytes.count, &descriptors, &count)
        descriptors.removeLast(descriptors.count - Int(count))
        guard got > 0 else {
            for descriptor in descriptors { mooring_close(descriptor) }
            throw SystemError(call: "receive", errno: got == 0 ? ECONNRESET : Int32(-got))
        }
        return Message(
            line: String(decoding: bytes.prefix(got), as: UTF8.self), descriptors: descriptors)
    }

    /// The user of the peer's program; nil when unknown.
    package var peerUser: UInt32? { StreamSocket(descriptor: descriptor).peerUser() }

    /// The peer's pid; nil when unknown, as for another pid namespace.
    package var peerProcess: Int32? {
        let pid = mooring_peer_process(descriptor)
        return pid > 0 ? pid : nil
    }

    /// Call once, by the owner.
    package func close() { mooring_close(descriptor) }
}

/// Accepts `ControlSocket` connections.
package struct ControlListener: Sendable {
    private let descriptor: Int32
    private let path: String
    private static let patience: Int32 = 30_000

    /// Listens at a path, accessible by this user only; replaces what exists there.
    package init(path: String) throws(SystemError) {
        self.path = path
        descriptor = try SystemError.check(
            unsafe path.withCString { unsafe mooring_control_listen($0) }, "listen on \(path)")
    }

    /// Blocks until a program connects; nil: the listener is closed or broken.
    package func accept() -> ControlSocket? {
        while true {
            let accepted = mooring_control_accept(descriptor, Self.patience)
            if accepted >= 0 { return ControlSocket(descriptor: accepted) }
            if -accepted != EINTR && -accepted != ECONNABORTED { return nil }
        }
    }

    /// Removes the path, so that a successor can listen there; a thread in `accept` keeps waiting.
    package func removePath() { _ = unsafe path.withCString { unsafe unlink($0) } }
}
