internal import Settings

extension Configuration.Listener {
    /// The keys of `[[listen]]`.
    static let keys: [KeyRow<Configuration.Listener>] = [
        KeyRow(
            "address", type: "address", standard: "",
            """
            Where connections are taken: `host:port`, `[v6]:port`, `unix:/path`, or \
            `fd:NAME` for a socket of systemd's. Without any `[[listen]]` there is one on \
            `127.0.0.1:8080`.
            """,
            text: { .text($0.text) }),
        KeyRow(
            .boolean(
                "http2", \.http2,
                "Whether HTTP/2 is offered: by ALPN on TLS, by prior knowledge on clear text.")),
        KeyRow(
            .boolean(
                "proxy_protocol", \.proxyProtocol,
                """
                Whether every peer has to begin with a PROXY header (version 1 or 2), as \
                load balancers of a network send it.
                """)
        ),
        KeyRow(
            "trusted_proxies", type: "list of addresses, networks, or `\"unix\"`",
            """
            Peers whose `X-Forwarded-*` and `Forwarded` fields are believed: your own \
            proxies in front, and nobody else.
            """,
            read: { listener, table, _ in
                listener.trustedProxies = ListenReader.trustedProxies(table)
            }, text: { .list($0.trustedProxies) }),
        KeyRow(
            "client_ca", type: "path",
            standard: "`\"\"`",
            """
            Authorities (PEM) of client certificates: a client needs a certificate of one of \
            them. With TLS only.
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
            `"https"`: every request is sent to the same address on https (308). On clear \
            text only.
            """,
            read: { listener, table, _ in
                listener.redirectsToHTTPS = ListenReader.redirects(table)
            }, text: { .text($0.redirectsToHTTPS ? "https" : "") }),
        KeyRow(
            "headers", type: "table of texts",
            """
            Fields that every response gets, in place of the application's; `""` takes a \
            field out.
            """,
            read: { listener, table, _ in listener.headers = HeadersReader.read(table) },
            text: { .inline(HeadersReader.entries($0.headers)) }),
        KeyRow(
            .boolean(
                "request_id", \.requestID,
                "Whether a request without `X-Request-Id` is given one.")),
        KeyRow(
            .boolean(
                "traceparent", \.traceparent,
                """
                Whether a request without `traceparent` begins a trace, which is not marked \
                as sampled. `false` where the application begins its own.
                """)
        ),
        KeyRow(
            "tls", type: "tables", standard: "none",
            "Certificates, see `[[listen.tls]]`; with none the listener speaks clear text.",
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
            The certificate with those of its issuers (PEM). Of several tables, the name \
            that the client asks for decides; the first is the default.
            """,
            text: { .text($0.certificate) }),
        KeyRow(
            "key", type: "path", standard: "",
            "The private key of the certificate (PEM).", text: { .text($0.key) }),
    ]
}
