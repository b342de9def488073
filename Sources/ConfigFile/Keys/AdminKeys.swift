internal import Backends

extension Configuration.Admin {
    /// The keys of `[admin]`.
    static let keys: [KeyRow<Configuration.Admin>] = [
        KeyRow(
            "address", type: "address", standard: "`\"unix:{runtime_dir}/admin.sock\"`",
            needsRestart: true,
            """
            Where the admin API listens: a unix socket, which only its owner can use, or \
            `host:port`, which requires `token_file`.
            """,
            read: { admin, table, folders in
                if let given = table.text("address", example: "unix:{runtime_dir}/admin.sock"),
                    let address = address(given, table, folders)
                {
                    admin.address = address
                }
            }, text: { .text($0.address.text) }),
        KeyRow(
            "token_file", type: "path",
            """
            A file with the token that every request must carry (`Authorization: Bearer`). A \
            reload reads it again.
            """,
            read: { admin, table, folders in
                admin.tokenFile = folders.path(
                    table.optionalText("token_file", example: "admin.token"), table.problems)
            }, text: { .text($0.tokenFile ?? "") }),
        KeyRow(
            "read_token_file", type: "path",
            "A file with a token for read-only access, for Prometheus and other monitoring.",
            read: { admin, table, folders in
                admin.readTokenFile = folders.path(
                    table.optionalText("read_token_file", example: "read.token"), table.problems)
            }, text: { .text($0.readTokenFile ?? "") }),
        KeyRow(
            .boolean(
                "metrics_open", \.metricsOpen,
                "Whether `GET /metrics` works without a token.")),
    ]
}
