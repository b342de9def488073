internal import CLinux
internal import Glibc
internal import Reactor

/// The socket that processes tell their state to (`NOTIFY_SOCKET`, sd_notify(3)).
///
/// One for all in the runtime directory: who sends is told by the kernel, not by the socket. Whoever
/// can pass through that directory may send, so what a stranger sends must cost little.
struct NotifySocket: Sendable {
    private static let name = "notify"

    let descriptor: Int32
    let path: String
    /// Tells our file from one of a successor, which takes the name over.
    private let inode: ino_t

    /// Takes the name over from an earlier balancer, whose processes then tell this one.
    init(in directory: RuntimeDirectory) throws(SystemError) {
        path = "\(directory.path)/\(Self.name)"
        descriptor = try SystemError.check(
            unsafe mooring_notify_listen("\(path).new", path), "notify socket \(path)")
        inode = Self.inode(of: path)
    }

    /// Closes it and removes the file unless that is somebody else's by now.
    func close() {
        if Self.inode(of: path) == inode { unsafe unlink(path) }
        mooring_close(descriptor)
    }

    /// One datagram with its sender's pid; nil when there is none.
    ///
    /// - Returns: no message when it was too long to be one.
    func receive(into buffer: inout [UInt8]) -> (pid: Int32, message: NotifyMessage?)? {
        var sender = mooring_sender()
        let room = min(buffer.count, NotifyMessage.sizeLimit)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe mooring_notify_receive(descriptor, bytes.baseAddress, room, &sender)
        }
        guard count >= 0 else { return nil }
        if sender.is_cut { return (sender.pid, nil) }
        return (sender.pid, NotifyMessage(buffer.span.extracting(0..<count)))
    }

    private static func inode(of path: String) -> ino_t {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_ino : 0
    }
}
