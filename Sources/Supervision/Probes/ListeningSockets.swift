internal import Glibc
internal import Reactor

/// A listening TCP socket.
///
/// The kernel is queried over netlink. Without it (no CONFIG_INET_DIAG, or a system call filter)
/// there remain /proc/net/tcp and tcp6, which list all connections too; see proc(5).
struct TCPListener: Equatable {
    /// IPv4 in its mapped form (RFC 4291 section 2.5.5.2).
    struct Host: Equatable {
        var high: UInt64
        var low: UInt64

        fileprivate static let mapped: UInt64 = 0xffff << 32

        var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }
        /// `0.0.0.0` or `::`.
        var isAny: Bool { high == 0 && (low == 0 || low == Self.mapped) }
    }

    var host: Host
    var port: UInt16
    /// The user who created it.
    var user: UInt32
    var inode: UInt64

    /// The listeners of this network namespace for an address; nil: unknown.
    ///
    /// Several only if they share the port (SO_REUSEPORT).
    static func taking(_ address: SocketAddress) -> [TCPListener]? {
        guard let ip = address.ip else { return [] }
        let host = Host(high: ip.high, low: ip.low)
        let port = UInt16(truncatingIfNeeded: address.port)
        guard let all = asked(port) ?? listed(ofIPv4: host.isIPv4) else { return nil }
        return nearest(to: host, port: port, among: all)
    }

    /// All listeners of this network namespace; nil: unknown.
    static func all() -> [TCPListener]? { asked(0) ?? listed(ofIPv4: true) }

    private static func asked(_ port: UInt16) -> [TCPListener]? {
        ListenerDiagnosis.listeners(at: port).map { found in
            found.map {
                TCPListener(
                    host: Host(high: $0.high, low: $0.low), port: $0.port, user: $0.user,
                    inode: $0.inode)
            }
        }
    }

    /// Those listed in /proc; not `private` for the tests that compare both sources.
    static func listed(ofIPv4: Bool) -> [TCPListener]? {
        let files = ofIPv4 ? ["/proc/net/tcp", "/proc/net/tcp6"] : ["/proc/net/tcp6"]
        var all: [TCPListener] = []
        for file in files {
            guard let text = text(of: file) else {
                // A kernel without IPv6 has no such file.
                if file.hasSuffix("6"), errno == ENOENT { continue }
                return nil
            }
            all += text.split(separator: "\n").compactMap { TCPListener(line: $0) }
        }
        return all
    }

    /// As the kernel chooses: the exact address before the wildcard, and IPv4 before dual-stack.
    static func nearest(to host: Host, port: UInt16, among all: [TCPListener]) -> [TCPListener] {
        let candidates = all.filter { $0.port == port }
        let exact = candidates.filter { $0.host == host }
        if !exact.isEmpty { return exact }
        let any = candidates.filter { $0.host.isAny }
        let ofFamily = any.filter { $0.host.isIPv4 == host.isIPv4 }
        return ofFamily.isEmpty && host.isIPv4 ? any : ofFamily
    }

    /// Nil for the heading, and for a socket that does not listen.
    init?(line: Substring) {
        let fields = line.split(separator: " ")
        guard fields.count > 9, fields[3] == "0A" else { return nil }
        let local = fields[1].split(separator: ":")
        guard local.count == 2, let host = Host(hex: local[0]),
            let port = UInt16(local[1], radix: 16), let user = UInt32(fields[7]),
            let inode = UInt64(fields[9])
        else { return nil }
        self.host = host
        self.port = port
        self.user = user
        self.inode = inode
    }

    init(host: Host, port: UInt16, user: UInt32, inode: UInt64) {
        self.host = host
        self.port = port
        self.user = user
        self.inode = inode
    }

    /// The whole table: listening sockets need not come first.
    private static func text(of file: String) -> String? {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        // More than any machine listens on.
        while text.count < 16 << 20 {
            let count = unsafe chunk.withUnsafeMutableBytes { room in
                unsafe read(descriptor, room.baseAddress, room.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            text += chunk[0..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension TCPListener {
    /// As in the configuration: `127.0.0.1:8080`, `[::1]:8080`.
    var text: String {
        let name: String
        if host.isIPv4 {
            name = (0..<4).map { "\(host.low >> UInt64(24 - 8 * $0) & 0xff)" }.joined(
                separator: ".")
        } else {
            name = (0..<8).map { index in
                let word = index < 4 ? host.high : host.low
                return String(word >> UInt64(48 - 16 * (index % 4)) & 0xffff, radix: 16)
            }.joined(separator: ":")
        }
        // Converts to the system's own form.
        let address = try? SocketAddress.tcp(name, port)
        return address?.text ?? "\(name):\(port)"
    }
}

extension TCPListener.Host {
    /// 32-bit words in host byte order, each as in memory.
    init?(hex: Substring) {
        guard hex.utf8.count == 8 || hex.utf8.count == 32 else { return nil }
        var words: [UInt64] = []
        var rest = hex
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            words.append(UInt64(UInt32(bigEndian: word)))
            rest = rest.dropFirst(8)
        }
        if words.count == 1 {
            self.init(high: 0, low: Self.mapped | words[0])
        } else {
            self.init(high: words[0] << 32 | words[1], low: words[2] << 32 | words[3])
        }
    }
}
