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
    ///
    /// - Parameter isInUse: a thread still takes a datagram off it; the program's end closes it then.
    func close(isInUse: Bool = false) {
        if Self.inode(of: path) == inode { unsafe unlink(path) }
        if !isInUse { mooring_notify_close(descriptor) }
    }

    /// Who has sent a datagram, as the kernel says.
    struct Sender: Sendable {
        let pid: Int32
        let user: UInt32
    }

    /// One datagram: its message is in the buffer that it was received into.
    struct Datagram: Sendable {
        let sender: Sender
        /// How much of the buffer it fills; nil when it was too long to be a message.
        let count: Int?
        /// Whether it stays the next one until ``DescriptorDrops`` has taken it off.
        let hasDescriptors: Bool
    }

    /// The next datagram; nil when there is none.
    func receive(into buffer: inout [UInt8]) -> Datagram? {
        var sender = mooring_sender()
        let room = min(buffer.count, NotifyMessage.sizeLimit)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe mooring_notify_receive(descriptor, bytes.baseAddress, room, &sender)
        }
        guard count >= 0 else { return nil }
        return Datagram(
            sender: Sender(pid: sender.pid, user: sender.user),
            count: sender.is_cut ? nil : count, hasDescriptors: sender.has_descriptors)
    }

    private static func inode(of path: String) -> ino_t {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_ino : 0
    }
}
