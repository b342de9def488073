internal import CLinux

/// Removes datagrams that carry descriptors from the notify socket, without blocking the loop.
///
/// Closing a file for the last time can take as long as its owner likes. So supervision only peeks
/// at such a datagram; a separate thread receives it and exits, which closes the descriptors.
@safe
struct DescriptorDrops {
    /// Threads that may be closing at once: none takes long unless a process blocks it
    /// deliberately.
    private static let most = 16
    /// After this, reading is considered blocked, rather than a thread waiting for a processor.
    private static let patience: Int64 = 500_000_000

    private var threads: [OpaquePointer] = unsafe []
    /// The thread that removes the next datagram.
    private var current: OpaquePointer?
    private var since: Int64?

    /// Whether the next datagram was read already.
    var isPending: Bool { since != nil }

    /// Whether reading has been blocked for so long that notifications may have been missed.
    func isHeldUp(now: Int64) -> Bool { since.map { now - $0 > Self.patience } ?? false }

    /// Starts to remove the next datagram.
    mutating func start(on socket: NotifySocket, now: Int64) {
        since = now
        advance(on: socket)
    }

    /// Checks whether it is removed: see ``isPending``.
    mutating func advance(on socket: NotifySocket) {
        if let drop = unsafe current {
            let outcome = unsafe mooring_drop_outcome(drop)
            if outcome == 0 { return }
            unsafe current = nil
            if outcome > 0 { since = nil }
        }
        unsafe threads.removeAll { unsafe mooring_drop_free_if_ended($0) }
        guard isPending, unsafe threads.count < Self.most,
            let drop = unsafe mooring_notify_drop(socket.descriptor)
        else { return }
        unsafe threads.append(drop)
        unsafe current = drop
    }
}
