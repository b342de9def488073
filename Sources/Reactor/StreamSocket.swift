internal import CLinux

/// The result of a read or write on a non-blocking socket.
package enum Transfer: Equatable, Sendable {
    case moved(Int)
    /// The peer has finished sending; reads only.
    case end
    /// Nothing available now: an event follows.
    case wouldBlock
    /// The connection is broken: an errno.
    case failed(Int32)

    /// Whether nothing was moved, so that an event follows.
    @inline(__always)
    package var isBlocked: Bool {
        if case .wouldBlock = self { true } else { false }
    }
}

/// A non-blocking stream socket: just a descriptor, closed by its owner.
package struct StreamSocket: Equatable, Sendable {
    package let descriptor: Int32

    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// recv(2) into the free space of a block.
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

    /// recv(2) with MSG_PEEK: the bytes stay in the socket, to be read again or discarded.
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

    /// Whether nothing is pending: no byte, no end and no error.
    package var isSilent: Bool { mooring_is_silent(descriptor) }

    /// Reads and discards bytes that were peeked at.
    package func discard(_ count: Int) { mooring_discard(descriptor, count) }

    /// send(2) of a block's bytes; consumes what was sent.
    package func send(from block: inout Block) -> Transfer {
        let bytes = unsafe block.readable
        return Self.consume(
            unsafe mooring_send(descriptor, bytes.baseAddress, bytes.count), of: &block)
    }

    /// The same for bytes that those of a file follow at once, so that one segment takes both.
    package func sendBeforeFile(from block: inout Block) -> Transfer {
        let bytes = unsafe block.readable
        return Self.consume(
            unsafe mooring_send_more(descriptor, bytes.baseAddress, bytes.count), of: &block)
    }

    @inline(__always)
    private static func consume(_ sent: Int, of block: inout Block) -> Transfer {
        guard sent >= 0 else { return failure(sent) }
        block.consume(sent)
        return .moved(sent)
    }

    /// sendfile(2) of bytes of a file; `end`: the file has none at this position.
    package func send(_ file: ServedFile, at position: Int64, atMost count: Int) -> Transfer {
        let sent = mooring_send_file(descriptor, file.descriptor, position, count)
        if sent > 0 { return .moved(sent) }
        return sent == 0 ? .end : Self.failure(sent)
    }

    /// The number of sent bytes that the peer has not acknowledged yet; nil: unknown.
    package var unsent: Int? {
        let count = mooring_unsent(descriptor)
        return count < 0 ? nil : count
    }

    /// Closes the writing direction; reading continues.
    package func shutdownWrite() { _ = mooring_shutdown_write(descriptor) }

    /// Closes the descriptor; call once, by the owner.
    package func close() { mooring_close(descriptor) }

    /// Closes with RST, so that the peer does not take the data for complete.
    package func abort() {
        mooring_abort_on_close(descriptor)
        mooring_close(descriptor)
    }

    /// The result of a pending connection: nil if it is established, else an errno.
    package func connectFailure() -> Int32? {
        let result = mooring_connect_result(descriptor)
        return result < 0 ? -result : nil
    }

    /// The user who listens at the other end of a unix connection (SO_PEERCRED, unix(7)).
    ///
    /// Nil if unknown: not a unix socket, or not connected.
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
