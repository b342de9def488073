internal import CLinux
internal import Glibc

/// Finds the listeners of a TCP port in this network namespace.
///
/// It queries the kernel over a netlink socket (sock_diag(7)), which searches listening sockets
/// only: the many connections of a busy machine cost nothing.
package enum ListenerDiagnosis {
    /// A listening socket.
    package struct Found: Equatable, Sendable {
        /// IPv4 in its mapped form (RFC 4291 section 2.5.5.2).
        package var high: UInt64
        package var low: UInt64
        package var port: UInt16
        /// The user who created it.
        package var user: UInt32
        package var inode: UInt64
    }

    /// More sockets than share one port (SO_REUSEPORT).
    private static let most: Int32 = 1024

    /// All sockets that listen on a port, or on any port (0), whatever their address; nil: the
    /// kernel cannot be queried.
    package static func listeners(at port: UInt16) -> [Found]? {
        let descriptor = mooring_diagnosis_open()
        guard descriptor >= 0 else { return nil }
        defer { mooring_close(descriptor) }
        var all: [Found] = []
        for family in [AF_INET, AF_INET6] {
            var count: Int32 = 0
            let found = unsafe [mooring_listener](unsafeUninitializedCapacity: Int(most)) {
                room, filled in
                count = unsafe mooring_diagnosis_listeners(
                    descriptor, family, port, room.baseAddress, most)
                filled = Int(max(0, min(count, most)))
            }
            // A kernel without IPv6 does not know the family.
            if count == -ENOENT, family == AF_INET6 { continue }
            guard count >= 0, count <= most else { return nil }
            all += found.map { Found($0, isIPv4: family == AF_INET) }
        }
        return all
    }
}

extension ListenerDiagnosis.Found {
    fileprivate init(_ listener: mooring_listener, isIPv4: Bool) {
        user = listener.user
        port = listener.port
        inode = UInt64(listener.inode)
        (high, low) = unsafe withUnsafeBytes(of: listener.host) { bytes in
            if isIPv4 {
                let word = unsafe bytes.loadUnaligned(as: UInt32.self)
                return (0, 0xffff << 32 | UInt64(UInt32(bigEndian: word)))
            }
            return unsafe (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}
