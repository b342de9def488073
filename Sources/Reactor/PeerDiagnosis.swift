internal import CLinux
internal import Glibc

/// Tells whose the other end of a TCP connection on this machine is, where SO_PEERCRED tells nothing.
///
/// It asks the kernel over a netlink socket (sock_diag(7)) that is opened when it is first needed, and
/// belongs to one thread.
package struct PeerDiagnosis: ~Copyable {
    /// What the kernel says.
    package enum Answer: Equatable, Sendable {
        case user(UInt32)
        /// There is no such end here any more.
        case noPeer
        /// The kernel cannot be asked; an errno.
        case unavailable(Int32)
    }

    private var descriptor: Int32?

    package init() {}

    deinit { if let descriptor, descriptor >= 0 { mooring_close(descriptor) } }

    /// The user who made what listens, or has accepted, at the other end.
    package mutating func user(of connection: StreamSocket) -> Answer {
        let descriptor = self.descriptor ?? mooring_diagnosis_open()
        self.descriptor = descriptor
        if descriptor < 0 {
            // For want of descriptors or memory, which may come right.
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
