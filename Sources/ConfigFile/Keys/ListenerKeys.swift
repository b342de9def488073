internal import Settings

extension Configuration.Listener {
    /// The keys of `[[listen]]`.
    static let keys: [KeyRow<Configuration.Listener>] = [
        KeyRow(
            "address", type: "address", standard: "",
            """
            The address to listen on: `host:port`, `[v6]:port`, `unix:/path`, or `fd:NAME` for a \
            socket passed by systemd. Without any `[[listen]]`, Mooring listens on \
            `127.0.0.1:8080`.
            """,
            text: { .text($0.text) }),
        KeyRow(
            .boolean(
                "http2", \.http2,
                "Whether to offer HTTP/2: by ALPN on TLS, by prior knowledge on clear text.")),
        KeyRow(
            .boolean(
                "proxy_protocol", \.proxyProtocol,
                """
                Whether every connection must begin with a PROXY header (version 1 or 2), as \
                sent by network load balancers.
                """)
        ),
        KeyRow(
            "trusted_proxies", type: "list of addresses, networks, or `\"unix\"`",
            """
            Peers whose `X-Forwarded-*` and `Forwarded` fields Mooring trusts. List only your \
            own proxies.
            """,
            read: { listener, table, _ in
                listener.trustedProxies = ListenReader.trustedProxies(table)
            }, text: { .list($0.trustedProxies) }),
        KeyRow(
            "client_ca", type: "path",
            standard: "`\"\"`",
            """
            Authorities (PEM) of client certificates: clients must present a certificate issued \
            by one of them. With TLS only.
            """,
            read: { listener, table, folders in
                let given = table.optionalText("client_ca", example: "clients.pem")
                guard let given else { return }
                listener.clientAuthority = folders.path(given, table.problems)
                listener.clientAuthorityLocation = table.problems.location(of: given.node)
                if !table.names.contains("tls") {
                    table.reportMissing(
                        ["tls"], at: "client_ca", "means nothing without TLS",
                        "give the listener a [[listen.tls]]")
                }
            }, text: { $0.clientAuthority.map { .text($0) } }),
        KeyRow(
            "redirect", type: "`\"https\"`",
            """
            `"https"` redirects every request to the same URL on https (308). On clear text \
            only.
            """,
            read: { listener, table, _ in
                listener.redirectsToHTTPS = ListenReader.redirects(table)
            }, text: { .text($0.redirectsToHTTPS ? "https" : "") }),
        KeyRow(
            "headers", type: "table of texts",
            """
            Fields set in every response, replacing the application's; `""` removes a field.
            """,
            read: { listener, table, _ in listener.headers = HeadersReader.read(table) },
            text: { .inline(HeadersReader.entries($0.headers)) }),
        KeyRow(
            .boolean(
                "request_id", \.requestID,
                "Whether to add `X-Request-Id` to requests without one.")),
        KeyRow(
            .boolean(
                "traceparent", \.traceparent,
                """
                Whether a request without `traceparent` starts a trace, which is not marked as \
                sampled. Use `false` where the application starts its own.
                """)
        ),
        KeyRow(
            "tls", type: "tables", standard: "none",
            "Certificates, see `[[listen.tls]]`; a listener without one speaks clear text.",
            text: { listener in
                .tables(listener.certificates.map { KeyRow.entries(Certificate.keys, of: $0) })
            }),
    ]
}

extension Configuration.Listener.Certificate {
    /// The keys of `[[listen.tls]]`.
    static let keys: [KeyRow<Configuration.Listener.Certificate>] = [
        KeyRow(
            "certificate", type: "path", standard: "",
            """
            The certificate with its chain of issuers (PEM). The client's server name (SNI) \
            selects among several; the first is the default.
            """,
            text: { .text($0.certificate) }),
        KeyRow(
            "key", type: "path", standard: "",
            "The private key of the certificate (PEM).", text: { .text($0.key) }),
    ]
}
