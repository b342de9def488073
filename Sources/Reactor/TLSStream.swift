internal import COpenSSL
internal import Glibc

/// What a step of a handshake came to.
package enum TLSHandshake: Equatable, Sendable {
    case done
    /// Not now: the peer's bytes are awaited.
    case wantsRead
    /// Not now: the socket takes no more.
    case wantsWrite
    /// The connection is of no use; the peer has been told why where the protocol allows.
    case failed(TLSProblem)
}

/// TLS over a non-blocking socket: in the place of a `StreamSocket` for what is sent and received.
///
/// A plain value that lives in a slab, one of which is freed once by the connection's owner. The
/// descriptor stays the owner's, who closes it behind `free`. For one thread at a time.
@safe
package struct TLSStream {
    /// OpenSSL's state of the connection.
    let ssl: OpaquePointer

    /// The server's side of an accepted connection; nil: no memory.
    package init?(accepting context: TLSServerContext, descriptor: Int32) {
        ERR_clear_error()
        guard let ssl = unsafe Self.make(context.context, descriptor) else { return nil }
        unsafe SSL_set_accept_state(ssl)
        unsafe self.ssl = unsafe ssl
    }

    /// The client's side of a connection that stands; nil: no memory, or no name of a host.
    ///
    /// - Parameters:
    ///   - serverName: a host name or an address, which the server's certificate has to be about.
    package init?(connecting context: TLSClientContext, serverName: String, descriptor: Int32) {
        ERR_clear_error()
        guard let ssl = unsafe Self.make(context.context, descriptor) else { return nil }
        guard unsafe context.expect(serverName, on: ssl) else {
            unsafe SSL_free(ssl)
            return nil
        }
        unsafe SSL_set_connect_state(ssl)
        unsafe self.ssl = unsafe ssl
    }

    private static func make(_ context: OpaquePointer, _ descriptor: Int32) -> OpaquePointer? {
        guard let ssl = unsafe SSL_new(context) else { return nil }
        if unsafe SSL_set_fd(ssl, descriptor) == 1 { return unsafe ssl }
        unsafe SSL_free(ssl)
        return nil
    }

    /// Takes the handshake as far as it goes; to be called again when the socket is ready.
    ///
    /// Costs CPU, so that the caller bounds how many steps a turn of its loop takes: on a core of a
    /// 2020s server some 0.5 ms with a P-256 key and 0.9 ms with RSA-2048, 0.1 (TLS 1.2) to 0.35 ms
    /// (TLS 1.3, which agrees on a new secret each time) for who comes back with a ticket.
    package func handshake() -> TLSHandshake {
        ERR_clear_error()
        errno = 0
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { return .done }
        let failure = errno
        let reason = unsafe SSL_get_error(ssl, result)
        switch reason {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        default: return .failed(unsafe TLSProblem(ssl: ssl, result: reason, errno: failure))
        }
    }

    /// What a peer may send in one go that is none of the application's: tickets, key updates.
    private static let controlRecordsInARow = 16

    /// One record, or what is left of one, into the room of a block.
    ///
    /// `end` only when the peer has said so (close_notify): a connection that was cut off is
    /// `failed(ECONNRESET)`, what is not TLS `failed(EPROTO)`. As with a socket `wouldBlock` alone
    /// says that there is no more: a short read says nothing, since a record is at most 16 KiB. It
    /// never waits for the socket to take something: what the protocol answers (a key update) goes
    /// out with the next `send`.
    package func receive(into block: inout Block) -> Transfer {
        let room = unsafe block.writable
        guard room.count > 0 else { return .wouldBlock }
        for _ in 0..<Self.controlRecordsInARow {
            var got = 0
            ERR_clear_error()
            errno = 0
            let result = unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &got)
            if result == 1 {
                block.commit(got)
                return .moved(got)
            }
            let failure = errno
            let reason = unsafe SSL_get_error(ssl, result)
            // Behind a record of the protocol's own OpenSSL comes back without having asked the
            // socket, which may raise no edge any more.
            if reason == SSL_ERROR_WANT_READ, failure != EAGAIN { continue }
            return Self.failure(reason, failure)
        }
        return .failed(EPROTO)
    }

    /// Sends of what a block holds as much as the socket takes; what was taken is consumed.
    ///
    /// After `wouldBlock` the next bytes sent have to be those that were not taken, and what follows
    /// them: OpenSSL has sealed them into a record already.
    package func send(from block: inout Block) -> Transfer {
        var moved = 0
        while !block.isEmpty {
            let bytes = unsafe block.readable
            var sent = 0
            ERR_clear_error()
            errno = 0
            let result = unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &sent)
            if result == 1 {
                block.consume(sent)
                moved += sent
                continue
            }
            let failure = errno
            // What stopped it shows again with the next call.
            if moved > 0 { break }
            return Self.failure(unsafe SSL_get_error(ssl, result), failure)
        }
        ERR_clear_error()
        return .moved(moved)
    }

    private static func failure(_ reason: Int32, _ errno: Int32) -> Transfer {
        defer { ERR_clear_error() }
        switch reason {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case SSL_ERROR_ZERO_RETURN: return .end
        case SSL_ERROR_SYSCALL: return .failed(errno == 0 ? ECONNRESET : errno)
        default:
            let reason = ERR_GET_REASON(ERR_peek_error())
            return .failed(reason == SSL_R_UNEXPECTED_EOF_WHILE_READING ? ECONNRESET : EPROTO)
        }
    }

    /// Bytes have come that `receive` has not handed out: no edge tells of them any more.
    package var hasBuffered: Bool { unsafe SSL_has_pending(ssl) == 1 }

    /// Tells the peer that nothing more comes (close_notify); reading goes on.
    ///
    /// Harmless when called twice, in the middle of a handshake or after a failure, when nothing is
    /// sent. What does not fit into the socket is not tried again.
    package func shutdown() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Gives back the memory; once, by the owner, before the descriptor is closed.
    package func free() { unsafe SSL_free(ssl) }
}
