package import Backends

/// Where the admin API listens and who may ask.
package struct AdminSettings: Sendable {
    package var address: ProcessAddress
    /// Asked for at every endpoint but `/healthz` and `/readyz`; nil: none.
    package var token: AdminToken?
    /// Open connections; further ones wait in the backlog.
    package var connections = 64
    /// Bytes of a request's body.
    package var bodyLimit = 64 * 1024
    /// Seconds after which a silent connection is closed.
    package var idleSeconds: Int64 = 60

    package init(address: ProcessAddress, token: AdminToken? = nil) {
        self.address = address
        self.token = token
    }
}

/// An address in the form that the configuration has: `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`.
func text(of address: ProcessAddress) -> String {
    switch address {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
