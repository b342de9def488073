internal import Backends
internal import Glibc
internal import Reactor

/// Whose the listener at a process's address is.
///
/// A TCP port belongs to nobody before it is bound: another user's program can take the one that a
/// process was told, while that is still starting. Who listens would be sent its cookies and requests.
enum PortHolder: Equatable {
    /// The process's own, or of something that only it could have put there (a unix socket).
    case process
    case free
    /// Somebody else's, by the id of its user.
    case foreign(user: UInt32)

    /// Looks who takes connections to an address.
    ///
    /// - Parameter known: the listener that was found to be the process's before, which it is still
    ///   where it is the same socket; looking for it takes time.
    static func of(
        _ address: SocketAddress, _ tree: ProcessTree, known: inout UInt64?
    ) -> PortHolder {
        if address.isUnix { return .process }
        // Without /proc none of this can be told, and no process be adopted.
        guard let listeners = TCPListener.taking(address) else { return .process }
        if listeners.isEmpty { return .free }
        for listener in listeners where listener.inode != known {
            switch tree.holds(socket: listener.inode) {
            case true: known = listener.inode
            case false: return .foreign(user: listener.user)
            case nil:
                // A program that cannot be looked into (another user's, for one who is not root) has
                // the rights of its user only.
                guard listener.user == ProcessIdentity.user(of: tree.leader) else {
                    return .foreign(user: listener.user)
                }
                known = listener.inode
            }
        }
        return .process
    }

    /// What is wrong with a listener that is somebody else's.
    static func objection(to address: ProcessAddress, heldBy user: UInt32) -> String {
        let location = (try? address.socketAddress().text) ?? "its port"
        return """
            another program, of the user with the id \(user), listens at \(location), which the process \
            was told to; {socket} in place of {port} cannot be taken like that
            """
    }
}

extension PortHolder {
    /// Whether a process cannot become ready any more where a listener is somebody else's.
    ///
    /// One that has a socket as well may not want the port at all.
    static func isFatal(at address: ProcessAddress, _ endpoint: ListeningEndpoint) -> Bool {
        !endpoint.isChoice && address == endpoint.first
    }
}

extension SupervisionLoop {
    /// Whose the listener at an address of a process is; nil: at the one that it has been found at.
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
    /// What to connect to.
    func socketAddress() throws(SystemError) -> SocketAddress {
        switch self {
        case .unix(let path): try .unix(path)
        case .tcp(let host, let port): try .tcp(host, port)
        }
    }
}
