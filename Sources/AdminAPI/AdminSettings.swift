package import Backends

/// The address of the admin API, and its access control.
package struct AdminSettings: Sendable {
    package var address: ProcessAddress
    /// Checked for every endpoint but `/healthz` and `/readyz`.
    package var access: AdminAccess
    /// Open connections; beyond that, a new one replaces the one that has been silent for longest.
    package var connections = 64
    /// How many of these are reserved for clients that have sent the token.
    package var reserve = 16
    /// The most bytes of a request's body.
    package var bodyLimit = 64 * 1024
    /// Seconds for a request's head, from the connection or its first byte.
    package var headerSeconds: Int64 = 5
    /// Seconds from the head until the client has read the response.
    package var exchangeSeconds: Int64 = 30
    /// Seconds after a response after which a silent connection is closed.
    package var idleSeconds: Int64 = 60

    package init(address: ProcessAddress, access: AdminAccess) {
        self.address = address
        self.access = access
    }
}

/// An address as in the configuration: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`.
func text(of address: ProcessAddress) -> String {
    switch address {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
