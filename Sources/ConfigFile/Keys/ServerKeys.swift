internal import Settings

extension ServersReader.Item {
    /// The keys of an item of `servers` that is a table.
    static let keys: [KeyRow<ServersReader.Item>] = [
        KeyRow(
            "address", type: "address", standard: "",
            """
            `host:port`, `[v6]:port` or `unix:/path`; with `https://` before it TLS is \
            spoken there. Names are not looked up, but for `localhost`.
            """,
            read: { item, table, _ in
                item.address = table.text("address", example: "10.0.0.7:8000")
            }),
        KeyRow(
            .integer(
                "weight", \.weight, in: 1...256,
                "Its share of new sessions, relative to the others.")),
        KeyRow(
            "ca", type: "path", standard: "the system's authorities",
            """
            Authorities (PEM) of the server's certificate. With `https://` only, as all that \
            follow.
            """,
            read: { item, table, _ in
                item.authority = table.optionalText("ca", example: "ca.pem")
            }),
        KeyRow(
            .boolean(
                "verify", \.verifies,
                """
                Whether the server's certificate is verified. `false` protects against \
                nobody who can redirect the connection.
                """)
        ),
        KeyRow(
            "server_name", type: "host name", standard: "the host of `address`",
            "The name that is sent (SNI), and that the certificate has to have.",
            read: { item, table, _ in
                item.name = table.optionalText("server_name", example: "app.example.org")
            }),
    ]
}
