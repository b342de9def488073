internal import Backends

/// Where a process is told to listen, by its arguments or its environment.
///
/// One that names neither a socket nor a port is told both, and is taken at whichever it comes to
/// listen on.
struct ListeningEndpoint: Equatable, Sendable {
    /// A path that is the process's alone.
    var socket: String?
    /// On the loopback interface, over IPv4 or IPv6.
    var port: UInt16?

    init(socket: String? = nil, port: UInt16? = nil) {
        precondition(socket != nil || port != nil, "a process is told where to listen")
        self.socket = socket
        self.port = port
    }

    /// Of one that is known to listen at an address, or was told that one.
    init(_ address: ProcessAddress, orPort port: UInt16? = nil) {
        switch address {
        case .unix(let path): self.init(socket: path, port: port)
        case .tcp(_, let port): self.init(port: port)
        }
    }

    /// Where it may be found, in the order in which it is looked for.
    ///
    /// A socket is its own without a question, so it comes first.
    var addresses: [ProcessAddress] {
        var addresses: [ProcessAddress] = []
        if let socket { addresses.append(.unix(path: socket)) }
        if let port {
            addresses += [.tcp(host: "127.0.0.1", port: port), .tcp(host: "::1", port: port)]
        }
        return addresses
    }

    /// The address that stands for it until the process listens.
    var first: ProcessAddress { addresses[0] }

    /// Whether it is the process that chooses.
    var isChoice: Bool { socket != nil && port != nil }

    /// The address of the file that the process may leave behind, if any.
    var file: ProcessAddress { socket.map { .unix(path: $0) } ?? first }

    /// For people: every address with the variable that names it.
    var text: String {
        var parts: [String] = []
        if let socket { parts.append("unix:\(socket)" + (isChoice ? " (MOORING_SOCKET)" : "")) }
        if let port { parts.append("127.0.0.1:\(port) or [::1]:\(port) (PORT)") }
        return parts.joined(separator: ", or ")
    }
}
