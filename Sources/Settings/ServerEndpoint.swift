/// A server that Mooring balances to and does not start: one entry of `servers`.
package struct ServerEndpoint: Equatable, Sendable {
    package var address: ProcessAddress
    /// Share of new sessions relative to its neighbours, 1 to 256.
    package var weight: Int
    /// Nil: Mooring speaks clear text to it.
    package var tls: ServerTLS?
    /// What it is called, and known by in tokens, whatever its address; nil: its address.
    package var name: String?
    /// The configured address, if that has a name, of which `address` is one; nil: `address`.
    package var named: ProcessAddress?
    /// Its slots; nil: the group's.
    package var threads: Int?

    package init(address: ProcessAddress, weight: Int = 1, tls: ServerTLS? = nil) {
        self.address = address
        self.weight = weight
        self.tls = tls
    }

    /// What it is called in tables, logs and commands.
    package var label: String {
        if let named { return "\(name ?? named.text)@\(address.host)" }
        return name ?? address.text
    }

    /// The configured address.
    package var place: ProcessAddress { named ?? address }

    /// The server at one of the addresses of its name.
    package func at(_ host: String) -> ServerEndpoint {
        var server = self
        server.named = address
        server.address = address.at(host)
        return server
    }
}

/// TLS settings for a server (`https://`).
package struct ServerTLS: Equatable, Sendable {
    /// Sent as SNI, and verified against the certificate.
    package var name: String
    /// A PEM file of certificate authorities, absolute path; nil: the system's.
    package var authority: String?
    /// Whether the certificate is verified.
    package var verifies = true

    package init(name: String) { self.name = name }
}
