internal import Backends
internal import Glibc
internal import Reactor

/// The owner of the listener at a process's address.
///
/// A TCP port has no owner before it is bound: another user's program can take the port that a
/// process was given while the process is still starting. That program would then receive its
/// cookies and requests.
enum PortHolder: Equatable {
    /// The process itself, or something that only it could have created (a unix socket).
    case process
    case free
    /// Another user, by id.
    case foreign(user: UInt32)

    /// Determines who listens on an address.
    ///
    /// - Parameter known: the listener that was found to be the process's before; it is recognised
    ///   by its socket, since searching for the owner is slow.
    static func of(
        _ address: SocketAddress, _ tree: ProcessTree, known: inout UInt64?
    ) -> PortHolder {
        if address.isUnix { return .process }
        // Without /proc nothing can be determined, nor any process adopted.
        guard let listeners = TCPListener.taking(address) else { return .process }
        if listeners.isEmpty { return .free }
        for listener in listeners where listener.inode != known {
            switch tree.holds(socket: listener.inode) {
            case true: known = listener.inode
            case false: return .foreign(user: listener.user)
            case nil:
                // An unreadable program (another user's, for a user other than root) is judged by
                // its user only.
                guard listener.user == ProcessIdentity.user(of: tree.leader) else {
                    return .foreign(user: listener.user)
                }
                known = listener.inode
            }
        }
        return .process
    }

    /// The problem with a listener of another user.
    static func objection(to address: ProcessAddress, heldBy user: UInt32) -> String {
        let location = (try? address.socketAddress().text) ?? "its port"
        return """
            another program, of the user with the id \(user), listens at \(location), which the process \
            should use; {socket} in place of {port} cannot be taken like that
            """
    }
}

extension PortHolder {
    /// Whether a listener of another user makes it impossible for a process to become ready.
    ///
    /// A process that was also given a socket may not want the port at all.
    static func isFatal(at address: ProcessAddress, _ endpoint: ListeningEndpoint) -> Bool {
        !endpoint.isChoice && address == endpoint.first
    }
}

extension SupervisionLoop {
    /// The owner of the listener at an address of a process; nil: at the address where it was
    /// found.
    func portHolder(
        of process: ManagedProcess, at address: ProcessAddress? = nil
    ) -> PortHolder {
        let address = address ?? process.address
        guard case .tcp = address, let socket = try? address.socketAddress() else {
            return .process
        }
        return PortHolder.of(socket, ProcessTree(process), known: &process.listener)
    }
}

extension ProcessAddress {
    /// The address to connect to.
    func socketAddress() throws(SystemError) -> SocketAddress {
        switch self {
        case .unix(let path): try .unix(path)
        case .tcp(let host, let port): try .tcp(host, port)
        }
    }
}
