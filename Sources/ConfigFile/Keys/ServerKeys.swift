internal import Settings

extension ServersReader.Item {
    /// The keys of an item of `servers` that is a table.
    static let keys: [KeyRow<ServersReader.Item>] = [
        KeyRow(
            "address", type: "address", standard: "",
            """
            `host:port`, `[v6]:port` or `unix:/path`; the prefix `https://` selects TLS. The \
            only name allowed is `localhost`; others are not looked up.
            """,
            read: { item, table, _ in
                item.address = table.text("address", example: "10.0.0.7:8000")
            }),
        KeyRow(
            .integer(
                "weight", \.weight, in: 1...256,
                "The server's share of new sessions, relative to the others.")),
        KeyRow(
            "ca", type: "path", standard: "the system's authorities",
            """
            Authorities (PEM) that verify the server's certificate. With `https://` only, like \
            the keys below.
            """,
            read: { item, table, _ in
                item.authority = table.optionalText("ca", example: "ca.pem")
            }),
        KeyRow(
            .boolean(
                "verify", \.verifies,
                """
                Whether to verify the server's certificate. Without it, anyone who can redirect \
                the connection can impersonate the server.
                """)
        ),
        KeyRow(
            "server_name", type: "host name", standard: "the host of `address`",
            "The name sent as SNI, which the certificate must match.",
            read: { item, table, _ in
                item.name = table.optionalText("server_name", example: "app.example.org")
            }),
    ]
}
