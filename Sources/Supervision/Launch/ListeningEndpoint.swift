internal import Backends

/// Where a process should listen, as passed in its arguments or its environment.
///
/// A process whose command names neither a socket nor a port gets both, and is used at whichever it
/// listens on.
struct ListeningEndpoint: Equatable, Sendable {
    /// A path that belongs to the process alone.
    var socket: String?
    /// On the loopback interface, over IPv4 or IPv6.
    var port: UInt16?

    /// The socket is handed to the process, and takes connections before that does.
    private(set) var isInherited = false

    /// Of a process that finds its listening socket as descriptor 0.
    init(inheritedAt socket: String) {
        self.init(socket: socket)
        isInherited = true
    }

    init(socket: String? = nil, port: UInt16? = nil) {
        precondition(socket != nil || port != nil, "a process has a socket or a port")
        self.socket = socket
        self.port = port
    }

    /// The endpoint of a process known to listen at an address, or that was given only that one.
    init(_ address: ProcessAddress, orPort port: UInt16? = nil) {
        switch address {
        case .unix(let path): self.init(socket: path, port: port)
        case .tcp(_, let port): self.init(port: port)
        }
    }

    /// The possible addresses, in the order of the search.
    ///
    /// A socket is known to be its own without a check, so it comes first.
    var addresses: [ProcessAddress] {
        var addresses: [ProcessAddress] = []
        if let socket { addresses.append(.unix(path: socket)) }
        if let port {
            addresses += [.tcp(host: "127.0.0.1", port: port), .tcp(host: "::1", port: port)]
        }
        return addresses
    }

    /// The address that represents it until the process listens.
    var first: ProcessAddress { addresses[0] }

    /// Whether the process chooses.
    var isChoice: Bool { socket != nil && port != nil }

    /// The address whose file the process may leave behind, if any.
    var file: ProcessAddress { socket.map { .unix(path: $0) } ?? first }

    /// For people: every address with the variable that contains it.
    var text: String {
        var parts: [String] = []
        if let socket { parts.append("unix:\(socket)" + (isChoice ? " (MOORING_SOCKET)" : "")) }
        if let port { parts.append("127.0.0.1:\(port) or [::1]:\(port) (PORT)") }
        return parts.joined(separator: ", or ")
    }
}
