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
    /// The host, if it is a name that has to be looked up; nil: it is an address.
    package var name: String? {
        guard case .tcp(let host, _) = self, host != Self.localhost, !host.contains(":"),
            host.utf8.contains(where: { !(48...57 ~= $0 || $0 == UInt8(ascii: ".")) })
        else { return nil }
        return host
    }

    /// Without the port; of a socket its path.
    var host: String {
        switch self {
        case .unix(let path): path
        case .tcp(let host, _): host
        }
    }

    /// One of the addresses that its name has.
    package func at(_ address: String) -> ProcessAddress {
        guard case .tcp(_, let port) = self else { return self }
        return .tcp(host: address, port: port)
    }

    /// As the configuration writes it: `unix:/path`, `127.0.0.1:80` or `[::1]:80`.
    package var text: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
