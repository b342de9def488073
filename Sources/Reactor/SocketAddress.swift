internal import CLinux
internal import Glibc

/// A unix path or numeric TCP address, resolved to what the system calls take.
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

    /// The errno that keeps a TCP listener from this address now; nil: nothing does.
    package func bindingFailure() -> Int32? {
        var copy = native
        let result = unsafe mooring_try_bind(&copy)
        return result < 0 ? -result : nil
    }

    /// Starts a connection; `pending` when it is not yet established.
    package func connect() throws(SystemError) -> (socket: StreamSocket, pending: Bool) {
        var copy = native
        var pending = false
        let descriptor = unsafe mooring_connect(&copy, &pending)
        try SystemError.check(descriptor, "connect")
        return (StreamSocket(descriptor: descriptor), pending)
    }

    /// Starts a connection that only one user's program may take, where that is asked for.
    ///
    /// Where another user can change the entries of a socket's directory, the path may be a link to a
    /// socket that this program may connect to and that user may not.
    /// - Parameter user: who must be listening on a unix socket (SO_PEERCRED); nil: whoever does.
    /// - Throws: `SystemError`; EACCES when it is somebody else.
    package func connect(
        expecting user: UInt32?
    ) throws(SystemError) -> (socket: StreamSocket, pending: Bool) {
        let (socket, pending) = try connect()
        // A unix connection is made at once or not at all.
        guard let user, isUnix, socket.peerUser() != user else { return (socket, pending) }
        socket.close()
        throw SystemError(call: "connect: not user \(user) who listens", errno: EACCES)
    }
}

/// A listening socket.
package struct ListeningSocket: Sendable {
    package let descriptor: Int32
    /// What it is bound to; the port is the real one where 0 was asked for.
    package let address: SocketAddress

    /// Binds and listens; a unix socket that nobody listens on any more is replaced.
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

    /// Takes over a socket that listens already: of a service manager, or of an earlier balancer.
    ///
    /// - Throws: `SystemError` unless it is a listening stream socket.
    package init(inheriting descriptor: Int32) throws(SystemError) {
        try SystemError.check(mooring_inherit_listener(descriptor), "inherited socket")
        self.descriptor = descriptor
        var bound = mooring_address()
        try SystemError.check(unsafe mooring_local_address(descriptor, &bound), "getsockname")
        address = SocketAddress(native: bound)
    }

    /// What came of taking a connection.
    package enum Accepted {
        case connection(StreamSocket, SocketAddress)
        case wouldBlock
        /// The connection was gone before it was taken; go on.
        case skipped
        /// No descriptor or memory left (EMFILE, ENFILE, ENOBUFS, ENOMEM).
        case exhausted(Int32)
    }

    /// Takes one waiting connection.
    ///
    /// See accept(2) for the errors of a connection that are skipped.
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

    /// Stops listening; a unix socket's file is removed.
    package func close() {
        if address.isUnix { unsafe address.host.withCString { _ = unsafe unlink($0) } }
        mooring_close(descriptor)
    }

    /// Closes this program's descriptor; whoever else has the socket goes on listening.
    package func leave() { mooring_close(descriptor) }
}
