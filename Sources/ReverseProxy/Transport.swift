internal import Reactor

/// A connection's socket, with TLS if it uses it.
enum Transport {
    case clear(StreamSocket)
    case secure(TLSStream, StreamSocket)

    var socket: StreamSocket {
        @inline(__always) get {
            switch self {
            case .clear(let socket), .secure(_, let socket): socket
            }
        }
    }

    @inline(__always)
    var isClear: Bool {
        if case .clear = self { true } else { false }
    }

    /// Reads once, and records whether there may be more to read.
    ///
    /// - Parameters:
    ///   - isReadable: cleared when the socket is empty: further bytes raise a new edge.
    ///   - peerClosed: the end is pending: it has raised its edge already.
    @inline(__always)
    func receive(into block: inout Block, _ isReadable: inout Bool, peerClosed: Bool) -> Transfer {
        let transfer: Transfer
        switch self {
        case .clear(let socket):
            let room = block.room
            transfer = socket.receive(into: &block)
            // A short read has emptied the socket.
            if case .moved(let count) = transfer, count < room, !peerClosed { isReadable = false }
        case .secure(let tls, _):
            transfer = tls.receive(into: &block)
        }
        if transfer.isBlocked { isReadable = false }
        return transfer
    }

    /// Sends a block once; consumes what was sent.
    @inline(__always)
    func send(from block: inout Block) -> Transfer {
        switch self {
        case .clear(let socket): socket.send(from: &block)
        case .secure(let tls, _): tls.send(from: &block)
        }
    }

    /// Closes the writing direction; reading continues.
    func shutdownWrite() {
        sendCloseNotify()
        socket.shutdownWrite()
    }

    /// Sends close_notify if TLS is used.
    func sendCloseNotify() {
        if case .secure(let tls, _) = self { tls.shutdown() }
    }

    /// Closes it; call once, by its owner.
    ///
    /// - Parameter abortively: the peer must not take what it has received for complete.
    func close(abortively: Bool = false) {
        if case .secure(let tls, _) = self {
            // Without close_notify a peer knows that it was cut off (RFC 8446 section 6.1).
            if !abortively { tls.shutdown() }
            tls.free()
        }
        abortively ? socket.abort() : socket.close()
    }
}
