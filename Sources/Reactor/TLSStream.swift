internal import COpenSSL
internal import Glibc

/// The result of a handshake step.
package enum TLSHandshake: Equatable, Sendable {
    case done
    /// More bytes from the peer are needed.
    case wantsRead
    /// The socket's send buffer is full.
    case wantsWrite
    /// The connection is unusable; the peer was sent an alert where the protocol allows it.
    case failed(TLSProblem)
}

/// TLS over a non-blocking socket: replaces a `StreamSocket` for sending and receiving.
///
/// A plain value that lives in a slab; the connection's owner frees it once. The owner keeps the
/// descriptor, and closes it after `free`. For one thread at a time.
@safe
package struct TLSStream {
    /// OpenSSL's state of the connection.
    let ssl: OpaquePointer

    /// The server's side of an accepted connection; nil: out of memory.
    package init?(accepting context: TLSServerContext, descriptor: Int32) {
        ERR_clear_error()
        guard let ssl = unsafe Self.make(context.context, descriptor) else { return nil }
        unsafe SSL_set_accept_state(ssl)
        unsafe self.ssl = unsafe ssl
    }

    /// The client's side of an established connection; nil: out of memory, or an invalid host name.
    ///
    /// - Parameters:
    ///   - serverName: a host name or an address, which the server's certificate must match.
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

    /// Continues the handshake as far as possible; call it again when the socket is ready.
    ///
    /// It is CPU-intensive, so the caller must bound the number of steps per turn: on a core of a
    /// 2020s server about 0.5 ms with a P-256 key and 0.9 ms with RSA-2048; for a resumption with a
    /// ticket 0.1 ms (TLS 1.2) to 0.35 ms (TLS 1.3, which agrees on a new secret each time).
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

    /// The most records in a row without application data, such as tickets and key updates.
    private static let controlRecordsInARow = 16

    /// Reads one record, or the rest of one, into the free space of a block.
    ///
    /// `end` is returned only after close_notify: a connection that was cut off is
    /// `failed(ECONNRESET)`, bytes that are not TLS `failed(EPROTO)`. As with a socket, only
    /// `wouldBlock` means that there is no more: a short read means nothing, since a record is at
    /// most 16 KiB. It never waits for the socket to accept data: protocol responses (such as a key
    /// update) go out with the next `send`.
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
            // After a record of the protocol's own OpenSSL returns without having read the socket,
            // which may raise no further edge.
            if reason == SSL_ERROR_WANT_READ, failure != EAGAIN { continue }
            return Self.failure(reason, failure)
        }
        return .failed(EPROTO)
    }

    /// Sends as much of a block as the socket accepts; consumes what was sent.
    ///
    /// After `wouldBlock` the next call must pass the unsent bytes again, followed by any others:
    /// OpenSSL has sealed them into a record already.
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
            // The error is reported again by the next call.
            if moved > 0 { break }
            return Self.failure(unsafe SSL_get_error(ssl, result), failure)
        }
        ERR_clear_error()
        return .moved(moved)
    }

    static func failure(_ reason: Int32, _ errno: Int32) -> Transfer {
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

    /// Bytes have arrived that `receive` has not returned: no edge reports them.
    package var hasBuffered: Bool { unsafe SSL_has_pending(ssl) == 1 }

    /// Sends close_notify; reading continues.
    ///
    /// Harmless when called twice, during a handshake or after a failure, when nothing is sent. If
    /// it does not fit into the socket, it is not retried.
    package func shutdown() {
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Frees the memory; call once, by the owner, before the descriptor is closed.
    package func free() { unsafe SSL_free(ssl) }
}
