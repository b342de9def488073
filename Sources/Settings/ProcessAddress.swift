/// The address of a process.
package enum ProcessAddress: Hashable, Sendable {
    /// A unix socket by its path, at most 107 bytes.
    case unix(path: String)
    /// A numeric IPv4 or IPv6 address and a port; external servers may also use `localhost`.
    case tcp(host: String, port: UInt16)

    /// The host that means both loopback addresses.
    package static let localhost = "localhost"
}

extension ProcessAddress {
    /// As the configuration writes it: `unix:/path`, `127.0.0.1:80` or `[::1]:80`.
    package var text: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
