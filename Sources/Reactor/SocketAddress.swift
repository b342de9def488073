internal import CLinux
internal import Glibc

/// A unix path or numeric TCP address, converted for the system calls.
package struct SocketAddress: @unchecked Sendable {
    // Plain bytes of the C struct: no pointers inside, so it may cross threads.
    var native: mooring_address

    init(native: mooring_address) { self.native = native }

    /// - Throws: `SystemError` (ENAMETOOLONG) when the path does not fit into 107 bytes.
    package static func unix(_ path: String) throws(SystemError) -> SocketAddress {
        var native = mooring_address()
        let result = unsafe path.withCString { unsafe mooring_address_unix(&native, $0) }
        try SystemError.check(result, "unix socket path")
        return SocketAddress(native: native)
    }

    /// - Throws: `SystemError` (EINVAL) unless the host is a numeric IPv4 or IPv6 address.
    package static func tcp(_ host: String, _ port: UInt16) throws(SystemError) -> SocketAddress {
        var native = mooring_address()
        let result = unsafe host.withCString { unsafe mooring_address_tcp(&native, $0, port) }
        try SystemError.check(result, "address")
        return SocketAddress(native: native)
    }

    /// The numeric host, or the path of a unix socket.
    package var host: String {
        var text = [CChar](repeating: 0, count: 112)
        var copy = native
        let count = unsafe mooring_address_host(&copy, &text, Int32(text.count))
        return String(decoding: text[0..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package var port: Int {
        var copy = native
        return unsafe Int(mooring_address_port(&copy))
    }

    /// The IP address as two halves, IPv4 in its mapped form (RFC 4291 section 2.5.5.2); nil: unix.
    package var ip: (high: UInt64, low: UInt64)? {
        var copy = native
        var high: UInt64 = 0
        var low: UInt64 = 0
        return unsafe mooring_address_ip(&copy, &high, &low) ? (high, low) : nil
    }

    package var isUnix: Bool {
        var copy = native
        return unsafe mooring_address_is_unix(&copy)
    }

    /// As in the configuration: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`.
    package var text: String {
        if isUnix { return "unix:\(host)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The errno that prevents a TCP listener on this address now; nil: it is free.
    package func bindingFailure() -> Int32? {
        var copy = native
        let result = unsafe mooring_try_bind(&copy)
        return result < 0 ? -result : nil
    }

    /// Starts a connection; `pending` if it is not established yet.
    package func connect() throws(SystemError) -> (socket: StreamSocket, pending: Bool) {
        var copy = native
        var pending = false
        let descriptor = unsafe mooring_connect(&copy, &pending)
        try SystemError.check(descriptor, "connect")
        return (StreamSocket(descriptor: descriptor), pending)
    }

    /// Starts a connection, optionally only to a program of the given user.
    ///
    /// If another user can change entries of a socket's directory, the path may be a link to a
    /// socket that this program may connect to and that user may not.
    ///
    /// - Parameter user: the required listener of a unix socket (SO_PEERCRED); nil: any.
    /// - Throws: `SystemError`; EACCES when another user listens.
    package func connect(
        expecting user: UInt32?
    ) throws(SystemError) -> (socket: StreamSocket, pending: Bool) {
        let (socket, pending) = try connect()
        // A unix connection succeeds at once or not at all.
        guard let user, isUnix, socket.peerUser() != user else { return (socket, pending) }
        socket.close()
        throw SystemError(call: "connect: not user \(user) who listens", errno: EACCES)
    }
}

extension StreamSocket {
    /// Where this end of the connection is; nil: that cannot be told.
    package var localAddress: SocketAddress? {
        var native = mooring_address()
        return unsafe mooring_local_address(descriptor, &native) == 0
            ? SocketAddress(native: native) : nil
    }

    /// Where the other end is; nil: that cannot be told.
    package var peerAddress: SocketAddress? {
        var native = mooring_address()
        return unsafe mooring_peer_address(descriptor, &native) == 0
            ? SocketAddress(native: native) : nil
    }
}

/// A listening socket.
package struct ListeningSocket: Sendable {
    package let descriptor: Int32
    /// The bound address; with the real port if 0 was requested.
    package let address: SocketAddress

    /// Binds and listens; a unix socket without a listener is replaced.
    package init(_ address: SocketAddress, backlog: Int = 4096) throws(SystemError) {
        var copy = address.native
        descriptor = try SystemError.check(
            unsafe mooring_listen(&copy, Int32(backlog), 0o666), "bind")
        var bound = mooring_address()
        if unsafe mooring_local_address(descriptor, &bound) == 0 {
            self.address = SocketAddress(native: bound)
        } else {
            self.address = address
        }
    }

    /// Takes over a socket that listens already: from a service manager or an earlier balancer.
    ///
    /// - Throws: `SystemError` unless it is a listening stream socket.
    package init(inheriting descriptor: Int32) throws(SystemError) {
        try SystemError.check(mooring_inherit_listener(descriptor), "inherited socket")
        self.descriptor = descriptor
        var bound = mooring_address()
        try SystemError.check(unsafe mooring_local_address(descriptor, &bound), "getsockname")
        address = SocketAddress(native: bound)
    }

    /// The result of accepting a connection.
    package enum Accepted {
        case connection(StreamSocket, SocketAddress)
        case wouldBlock
        /// The connection was closed before it was accepted; continue.
        case skipped
        /// No descriptor or memory left (EMFILE, ENFILE, ENOBUFS, ENOMEM).
        case exhausted(Int32)
    }

    /// Accepts one waiting connection.
    ///
    /// See accept(2) for the connection errors that are skipped.
    package func accept() -> Accepted {
        var peer = mooring_address()
        let result = unsafe mooring_accept(descriptor, &peer)
        if result >= 0 {
            return .connection(StreamSocket(descriptor: result), SocketAddress(native: peer))
        }
        switch -result {
        case EAGAIN: return .wouldBlock
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted(-result)
        default: return .skipped
        }
    }

    /// Stops listening and removes a unix socket's file.
    package func close() {
        if address.isUnix { unsafe address.host.withCString { _ = unsafe unlink($0) } }
        mooring_close(descriptor)
    }

    /// Whoever takes connections from it waits for them, in every process that has it.
    package func waitInAccept() throws(SystemError) {
        try SystemError.check(mooring_wait_in_accept(descriptor), "fcntl")
    }

    /// Closes this program's descriptor; other programs with the socket keep listening.
    package func leave() { mooring_close(descriptor) }
}
