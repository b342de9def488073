internal import CLinux
internal import Glibc
internal import Reactor

/// The socket for notifications from processes (`NOTIFY_SOCKET`, sd_notify(3)).
///
/// One for all processes, in the runtime directory: the kernel identifies the sender. Any process
/// that can traverse that directory may send, so foreign datagrams must cost little.
struct NotifySocket: Sendable {
    private static let name = "notify"

    let descriptor: Int32
    let path: String
    /// Distinguishes our file from a successor's, which takes over the name.
    private let inode: ino_t

    /// Takes over the name from an earlier balancer, whose processes then notify this one.
    init(in directory: RuntimeDirectory) throws(SystemError) {
        path = "\(directory.path)/\(Self.name)"
        descriptor = try SystemError.check(
            unsafe mooring_notify_listen("\(path).new", path), "notify socket \(path)")
        inode = Self.inode(of: path)
    }

    /// Closes it and removes the file, unless a successor has replaced it.
    ///
    /// - Parameter isInUse: a thread still removes a datagram from it; it is closed when the
    ///   program exits.
    func close(isInUse: Bool = false) {
        if Self.inode(of: path) == inode { unsafe unlink(path) }
        if !isInUse { mooring_notify_close(descriptor) }
    }

    /// The sender of a datagram, as identified by the kernel.
    struct Sender: Sendable {
        let pid: Int32
        let user: UInt32
    }

    /// One datagram; its message is in the receive buffer.
    struct Datagram: Sendable {
        let sender: Sender
        /// The bytes used in the buffer; nil when it was too long for a message.
        let count: Int?
        /// Whether it stays the next one until ``DescriptorDrops`` has removed it.
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
