package import Backends

/// Where the admin API listens and who may ask.
package struct AdminSettings: Sendable {
    package var address: ProcessAddress
    /// Asked at every endpoint but `/healthz` and `/readyz`.
    package var access: AdminAccess
    /// Open connections; of further ones the newest is taken and the longest silent one closed.
    package var connections = 64
    /// How many of these only those can have that have shown the token.
    package var reserve = 16
    /// Bytes of a request's body.
    package var bodyLimit = 64 * 1024
    /// Seconds for a request's head, from the connection or its first byte on.
    package var headerSeconds: Int64 = 5
    /// Seconds from the head until the answer has been taken.
    package var exchangeSeconds: Int64 = 30
    /// Seconds after an answer after which a silent connection is closed.
    package var idleSeconds: Int64 = 60

    package init(address: ProcessAddress, access: AdminAccess) {
        self.address = address
        self.access = access
    }
}

/// An address in the form that the configuration has: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`.
func text(of address: ProcessAddress) -> String {
    switch address {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
