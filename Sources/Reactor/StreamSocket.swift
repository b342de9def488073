internal import CLinux

/// What a read or write on a non-blocking socket came to.
package enum Transfer: Equatable, Sendable {
    case moved(Int)
    /// The peer has finished sending; reads only.
    case end
    /// Not now: an event follows.
    case wouldBlock
    /// The connection is broken: an errno.
    case failed(Int32)

    /// Nothing moved, and an event follows.
    @inline(__always)
    package var isBlocked: Bool {
        if case .wouldBlock = self { true } else { false }
    }
}

/// A non-blocking stream socket: a descriptor and nothing else, closed by whoever owns it.
package struct StreamSocket: Equatable, Sendable {
    package let descriptor: Int32

    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// recv(2) into the room of a block.
    package func receive(into block: inout Block) -> Transfer {
        let room = unsafe block.writable
        guard room.count > 0 else { return .wouldBlock }
        let got = unsafe mooring_receive(descriptor, room.baseAddress, room.count)
        if got > 0 {
            block.commit(got)
            return .moved(got)
        }
        return got == 0 ? .end : Self.failure(got)
    }

    /// recv(2) with MSG_PEEK: what has come stays in the socket, to be read again or `discard`ed.
    package func peek(into block: inout Block) -> Transfer {
        let room = unsafe block.writable
        guard room.count > 0 else { return .wouldBlock }
        let got = unsafe mooring_peek(descriptor, room.baseAddress, room.count)
        if got > 0 {
            block.commit(got)
            return .moved(got)
        }
        return got == 0 ? .end : Self.failure(got)
    }

    /// Whether nothing waits to be read: no byte, no end and no error.
    package var isSilent: Bool { mooring_is_silent(descriptor) }

    /// Reads bytes that were peeked at, and throws them away.
    package func discard(_ count: Int) { mooring_discard(descriptor, count) }

    /// send(2) of what a block holds; what was taken is consumed.
    package func send(from block: inout Block) -> Transfer {
        let bytes = unsafe block.readable
        let sent = unsafe mooring_send(descriptor, bytes.baseAddress, bytes.count)
        if sent >= 0 {
            block.consume(sent)
            return .moved(sent)
        }
        return Self.failure(sent)
    }

    /// How many bytes that were sent the peer has not taken yet; nil: not to be known.
    package var unsent: Int? {
        let count = mooring_unsent(descriptor)
        return count < 0 ? nil : count
    }

    /// The peer sees the end of the stream; reading goes on.
    package func shutdownWrite() { _ = mooring_shutdown_write(descriptor) }

    /// Closes the descriptor; once, by its owner.
    package func close() { mooring_close(descriptor) }

    /// Closes with RST, so that the peer cannot take what it got for all there was.
    package func abort() {
        mooring_abort_on_close(descriptor)
        mooring_close(descriptor)
    }

    /// What became of a connection that was pending: nil when it stands, else an errno.
    package func connectFailure() -> Int32? {
        let result = mooring_connect_result(descriptor)
        return result < 0 ? -result : nil
    }

    /// The user who listens at the other end of a unix connection (SO_PEERCRED, unix(7)).
    ///
    /// Nil when that cannot be told: not a unix socket, or not connected.
    package func peerUser() -> UInt32? {
        var user: UInt32 = 0
        return unsafe mooring_peer_user(descriptor, &user) == 0 ? user : nil
    }

    private static func failure(_ result: Int) -> Transfer {
        let code = Int32(truncatingIfNeeded: -result)
        if code == EAGAIN || code == EINTR { return .wouldBlock }
        return .failed(code)
    }
}
