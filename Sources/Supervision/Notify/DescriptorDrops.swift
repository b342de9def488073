internal import CLinux

/// Takes datagrams that have descriptors off the notify socket, where nobody waits for it.
///
/// Closing a file for the last time can take as long as its owner likes. So supervision looks at such a
/// datagram only; a thread of its own takes it and ends, and with it what was sent is closed.
@safe
struct DescriptorDrops {
    /// Threads that may be closing at once: none takes long unless somebody wants it to.
    private static let most = 16
    /// After which reading is held up, and not just waiting for a thread to get a processor.
    private static let patience: Int64 = 500_000_000

    private var threads: [OpaquePointer] = unsafe []
    /// The one that takes the next datagram.
    private var current: OpaquePointer?
    private var since: Int64?

    /// Whether the next datagram is one that was read already.
    var isPending: Bool { since != nil }

    /// Whether nothing has been read for so long that what processes say may not have been heard.
    func isHeldUp(now: Int64) -> Bool { since.map { now - $0 > Self.patience } ?? false }

    /// Has the next datagram taken off.
    mutating func start(on socket: NotifySocket, now: Int64) {
        since = now
        advance(on: socket)
    }

    /// Goes on until it is off: ``isPending`` tells.
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
