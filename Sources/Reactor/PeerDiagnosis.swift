internal import CLinux
internal import Glibc

/// Finds the owner of the peer of a local TCP connection, which SO_PEERCRED does not provide.
///
/// It queries the kernel over a netlink socket (sock_diag(7)), which is opened on first use and
/// belongs to one thread.
package struct PeerDiagnosis: ~Copyable {
    /// The kernel's answer.
    package enum Answer: Equatable, Sendable {
        case user(UInt32)
        /// The peer's socket no longer exists on this machine.
        case noPeer
        /// The kernel cannot be queried; an errno.
        case unavailable(Int32)
    }

    private var descriptor: Int32?

    package init() {}

    deinit { if let descriptor, descriptor >= 0 { mooring_close(descriptor) } }

    /// The user who created the listener or accepted socket at the other end.
    package mutating func user(of connection: StreamSocket) -> Answer {
        let descriptor = self.descriptor ?? mooring_diagnosis_open()
        self.descriptor = descriptor
        if descriptor < 0 {
            // Out of descriptors or memory, which may be temporary.
            if SystemError.isScarcity(-descriptor) { self.descriptor = nil }
            return .unavailable(-descriptor)
        }
        var user: UInt32 = 0
        let result = unsafe mooring_diagnosis_peer_user(
            descriptor, connection.descriptor, &user)
        switch -result {
        case 0: return .user(user)
        case ENOENT, ENOTCONN: return .noPeer
        case let code: return .unavailable(code)
        }
    }
}
