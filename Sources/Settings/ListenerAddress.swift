/// An address to listen on.
package enum ListenerAddress: Hashable, Sendable {
    /// A port may be 0.
    case address(ProcessAddress)
    /// A socket that the service manager passes, by its name (sd_listen_fds_with_names(3)).
    case inherited(name: String)

    /// As the configuration writes it; an inherited socket is `fd:NAME`.
    package var text: String {
        switch self {
        case .address(let address): address.text
        case .inherited(let name): "fd:\(name)"
        }
    }

    /// Whether both cannot be bound at the same time: a port on all addresses conflicts with the
    /// same port on any of them, and `[::]` takes IPv4 too.
    package func overlaps(_ other: ListenerAddress) -> Bool {
        guard case .address(.tcp(let host, let port)) = self,
            case .address(.tcp(let otherHost, let otherPort)) = other
        else { return self == other }
        return port == otherPort && port != 0
            && (host == otherHost || Self.covers(host, otherHost) || Self.covers(otherHost, host))
    }

    private static func covers(_ wildcard: String, _ host: String) -> Bool {
        wildcard == "::" || wildcard == "0.0.0.0" && !host.contains(":")
    }
}
