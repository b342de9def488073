/// A server that Mooring balances to and does not start: one entry of `servers`.
package struct ServerEndpoint: Equatable, Sendable {
    package var address: ProcessAddress
    /// Share of new sessions relative to its neighbours, 1 to 256.
    package var weight: Int
    /// Nil: it is spoken to in clear text.
    package var tls: ServerTLS?

    package init(address: ProcessAddress, weight: Int = 1, tls: ServerTLS? = nil) {
        self.address = address
        self.weight = weight
        self.tls = tls
    }

    /// Whether sessions that are pinned to one may go on with the other: how its certificate is
    /// verified is nothing to them.
    package func canBecome(_ other: ServerEndpoint) -> Bool {
        address == other.address && weight == other.weight && (tls == nil) == (other.tls == nil)
    }
}

/// How a server is spoken to over TLS (`https://`).
package struct ServerTLS: Equatable, Sendable {
    /// Sent as SNI, and what the certificate has to name.
    package var name: String
    /// A PEM file of authorities, absolute; nil: the system's.
    package var authority: String?
    /// Whether the certificate is looked at.
    package var verifies = true

    package init(name: String) { self.name = name }
}
