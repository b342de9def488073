internal import CLinux
internal import Glibc

/// A system call that failed, by name and errno.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    package var call: String
    package var errno: Int32

    package init(call: String, errno: Int32) {
        self.call = call
        self.errno = errno
    }

    /// `Address already in use (bind)`, with the text of strerror(3).
    package var description: String { "\(Self.message(errno)) (\(call))" }

    /// Whether a shared resource is exhausted, which may be temporary.
    package var isScarcity: Bool { Self.isScarcity(errno) }

    /// The same for an errno.
    package static func isScarcity(_ errno: Int32) -> Bool {
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL: true
        default: false
        }
    }

    /// What an operator can do about an exhausted resource.
    package static func remedy(_ errno: Int32) -> String {
        switch errno {
        case EMFILE: "allow more open files (LimitNOFILE=, ulimit -n) or fewer limits.connections"
        case ENFILE: "raise fs.file-max"
        case EADDRNOTAVAIL:
            "every local port towards it is taken: widen net.ipv4.ip_local_port_range, keep connections"
                + " (keepalive) or use a unix socket"
        default: "give the machine or the unit more memory"
        }
    }

    /// What an operator can do about an address that cannot be listened on (bind(2)); nil: it
    /// depends.
    package static func remedy(listening errno: Int32) -> String? {
        switch errno {
        case EADDRINUSE:
            "another program has it (ss -ltnp names it); end that one, or choose another address"
        case EACCES:
            "ports below 1024 need root or CAP_NET_BIND_SERVICE, sockets a folder that Mooring may"
                + " write to"
        case EADDRNOTAVAIL: "this machine has no such address"
        case ENOENT: "make its folder"
        default: nil
        }
    }

    /// strerror(3) of an errno.
    package static func message(_ errno: Int32) -> String {
        guard let text = unsafe strerror(errno) else { return "error \(errno)" }
        return unsafe String(cString: text)
    }

    /// Turns a shim's `-errno` into a thrown error.
    @discardableResult
    package static func check(_ result: Int32, _ call: String) throws(SystemError) -> Int32 {
        if result < 0 { throw SystemError(call: call, errno: -result) }
        return result
    }
}
