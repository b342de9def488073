internal import CLinux

/// A blocking unix connection between two programs of one user: lines of text, and descriptors.
///
/// Each line is a message of its own (SOCK_SEQPACKET), so it needs no end and cannot be cut.
///
/// A descriptor and nothing else, closed by whoever owns it. Every wait has a limit.
package struct ControlSocket: Sendable {
    /// What came: a line, and the descriptors that were sent with it.
    package struct Message: Sendable {
        package var line: String
        package var descriptors: [Int32]
    }

    /// How long one read or write may take, in milliseconds.
    private static let patience: Int32 = 30_000
    private static let lineLimit = 64 * 1024

    private let descriptor: Int32

    /// Connects to a program that listens at a path.
    ///
    /// - Throws: `SystemError`; ENOENT or ECONNREFUSED when nobody is there.
    package init(connectingTo path: String) throws(SystemError) {
        descriptor = try SystemError.check(
            unsafe path.withCString { unsafe mooring_control_connect($0, Self.patience) },
            "connect \(path)")
    }

    fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

    /// The most descriptors of one line.
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
    /// - Throws: `SystemError`: ECONNRESET when the other end has gone, EAGAIN when it is silent for
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

    /// The user whose program is at the other end; nil when that cannot be told.
    package var peerUser: UInt32? { StreamSocket(descriptor: descriptor).peerUser() }

    /// The program at the other end; nil when that cannot be told, as from another pid namespace.
    package var peerProcess: Int32? {
        let pid = mooring_peer_process(descriptor)
        return pid > 0 ? pid : nil
    }

    /// Once, by the owner.
    package func close() { mooring_close(descriptor) }
}

/// Waits for programs that want a `ControlSocket`.
package struct ControlListener: Sendable {
    private let descriptor: Int32
    private let path: String
    private static let patience: Int32 = 30_000

    /// Listens at a path, for this user alone; what stood there is replaced.
    package init(path: String) throws(SystemError) {
        self.path = path
        descriptor = try SystemError.check(
            unsafe path.withCString { unsafe mooring_control_listen($0) }, "listen on \(path)")
    }

    /// Blocks until somebody comes; nil: the listener is closed or broken.
    package func accept() -> ControlSocket? {
        while true {
            let accepted = mooring_control_accept(descriptor, Self.patience)
            if accepted >= 0 { return ControlSocket(descriptor: accepted) }
            if -accepted != EINTR && -accepted != ECONNABORTED { return nil }
        }
    }

    /// Takes the path away, so that a successor can listen there; who waits in `accept` goes on waiting.
    package func removePath() { _ = unsafe path.withCString { unsafe unlink($0) } }
}
