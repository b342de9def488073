internal import Settings

extension ServersReader.Item {
    /// The keys of an item of `servers` that is a table.
    static let keys: [KeyRow<ServersReader.Item>] = [
        KeyRow(
            "address", type: "address", standard: "",
            """
            `host:port`, `[v6]:port` or `unix:/path`; the prefix `https://` selects TLS. Every \
            address of a name is a server of its own; names are looked up again as `[dns]` says.
            """,
            read: { item, table, _ in
                item.address = table.text("address", example: "10.0.0.7:8000")
            }),
        KeyRow(
            .integer(
                "weight", \.weight, in: 1...256,
                """
                The server's share of new sessions, and of requests without one, relative to the \
                others.
                """)),
        KeyRow(
            "threads", type: "number, 1 to 100000", standard: "the group's",
            "Concurrent requests that this server gets.",
            read: { item, table, _ in
                item.threads = table.integer("threads", in: 1...100_000)
            }),
        KeyRow(
            "name", type: "1 to 32 letters, digits, `-` and `_`", standard: "the address",
            """
            What tables, logs and commands call the server. Its sessions stay with the name: it \
            may get another address, or leave and come back, and is the same server.
            """,
            read: { item, table, _ in item.name = table.optionalText("name", example: "a") }),
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
                item.serverName = table.optionalText("server_name", example: "app.example.org")
            }),
    ]
}
