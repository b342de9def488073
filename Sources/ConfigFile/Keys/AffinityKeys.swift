internal import Backends
internal import SessionAffinity
internal import Settings

extension Configuration.Affinity {
    /// The keys of `[affinity]`, and of `affinity = { … }` in a group or a route.
    static let keys: [KeyRow<Configuration.Affinity>] = when + lifetime + attributes

    private static let when: [KeyRow<Configuration.Affinity>] = [
        KeyRow(
            .word(
                "pin", \.pin, among: Pin.allCases,
                """
                When a session is pinned to its process: with its first request, when the \
                application asks for it (`Mooring-Pin: pin`, or a cookie named in `learn`), \
                or never.
                """)),
        KeyRow(
            "learn", type: "list of at most 32 cookie names",
            """
            Application cookies that start a session when the application sets them, and end it \
            when it deletes them; used with `pin = "app"`.
            """,
            read: { affinity, table, _ in affinity.learn = names(table) ?? affinity.learn },
            text: { .list($0.learn) }),
        carrier, by,
        KeyRow(
            "cookie", type: "name of a cookie",
            """
            The name of Mooring's cookie. On TLS it gets the prefix `__Host-` where path and \
            domain allow it. Give groups that share a path different names.
            """,
            read: { affinity, table, _ in
                affinity.cookie.name = name(table) ?? affinity.cookie.name
            }, text: { .text($0.cookie.name) }),
    ]

    private static let lifetime: [KeyRow<Configuration.Affinity>] = [
        keyring,
        KeyRow(
            .duration(
                "unconfirmed", \.unconfirmed, atLeast: .seconds(1),
                """
                Like `idle`, for a session whose cookie the client has never sent back, such as \
                a crawler's. They are the first to be evicted when session places are short, \
                but not in their first 10 seconds.
                """),
            scope: .group),
        KeyRow(
            .duration(
                "idle", \.idle, atLeast: .seconds(1),
                """
                A session ends after this long without a request or tunnel traffic, and no \
                longer keeps its process alive. Match it to the session timeout of the \
                application.
                """),
            scope: .group),
        KeyRow(
            "max_age", type: "duration in whole seconds, 1s to 8784h",
            "A cookie that was not renewed for this long is rejected; activity renews it.",
            read: { affinity, table, _ in affinity.maxAge = age(table) ?? affinity.maxAge },
            text: { .text(DurationText.text(of: $0.maxAge)) }),
        KeyRow(
            .word(
                "on_lost", \.onLost, among: [.reassign, .refuse],
                """
                What happens to a session whose process is gone: it starts over on another one \
                (the application sees `Mooring-Affinity: lost`), or its next request is answered \
                503, deletes the cookie, and the one after that begins a new session.
                """),
            scope: .group),
    ]

    /// The keyring is one file for the whole configuration, so the top-level reader takes the key.
    private static let keyring: KeyRow<Configuration.Affinity> = {
        var row = KeyRow<Configuration.Affinity>(
            "keys", type: "path", standard: "`\"{state_dir}/session.keys\"`",
            "The keyring that signs cookies; created at the first start. A reload reads it again.")
        row.scope = .file
        return row
    }()

    private static let attributes: [KeyRow<Configuration.Affinity>] = [
        KeyRow(
            .word(
                "same_site", \.cookie.sameSite, among: CookieAttributes.SameSite.allCases,
                """
                The cookie's SameSite attribute. `"none"`, for pages embedded in other sites, \
                needs `secure = "always"`.
                """)
        ),
        KeyRow(
            .word(
                "secure", \.cookie.secure, among: CookieAttributes.Secure.allCases,
                """
                When the cookie gets the Secure attribute; `"auto"`: when the connection is \
                secure.
                """)
        ),
        KeyRow(
            .boolean(
                "http_only", \.cookie.httpOnly,
                "Whether the cookie is hidden from scripts of the page (HttpOnly).")),
        KeyRow(
            .boolean(
                "partitioned", \.cookie.partitioned,
                """
                Whether the browser partitions the cookie by the site that embeds this one \
                (CHIPS). Needs `secure = "always"`.
                """)
        ),
        KeyRow(
            "domain", type: "host name",
            """
            The cookie's Domain attribute, for sessions shared by several hosts of a domain. \
            `""`: this host only.
            """,
            read: { affinity, table, _ in
                affinity.cookie.domain = domain(table) ?? affinity.cookie.domain
            }, text: { .text($0.cookie.domain) }),
        KeyRow(
            .boolean(
                "forward_cookie", \.forwardCookie,
                "Whether the application sees Mooring's cookie.")),
    ]

    private static func name(_ table: TableReader) -> String? {
        guard let given = table.text("cookie", example: "mooring") else { return nil }
        let lower = given.value.lowercased()
        if lower.hasPrefix("__host-") || lower.hasPrefix("__secure-") {
            table.problems.add(
                given.node, "has a prefix that Mooring puts there by itself",
                "leave it out; __Host- comes on TLS")
            return nil
        }
        guard CookieAttributes.isValidName(given.value) else {
            table.problems.add(
                given.node, "is \(given.node.kind), which no cookie can be called",
                "needs 1 to 64 letters, digits, \"-\", \"_\" and \".\"")
            return nil
        }
        return given.value
    }

    private static func names(_ table: TableReader) -> [String]? {
        guard let given = table.texts("learn", example: "sessionid") else { return nil }
        guard given.count <= 32 else {
            table.report(at: "learn", "names \(given.count) cookies", "at most 32")
            return nil
        }
        for name in given where !CookieAttributes.isValidName(name.value) {
            table.problems.add(
                name.node, "holds \(name.node.kind), which no cookie can be called",
                "needs cookie names like \"sessionid\"")
        }
        return given.map(\.value)
    }

    /// Tokens store their age in seconds.
    private static func age(_ table: TableReader) -> Interval? {
        guard let age = table.duration("max_age", atLeast: .seconds(1)) else { return nil }
        if !age.nanoseconds.isMultiple(of: 1_000_000_000) {
            table.report(at: "max_age", "is no whole number of seconds", "write it in \"s\"")
        }
        return age
    }

    private static func domain(_ table: TableReader) -> String? {
        guard let node = table.take("domain") else { return nil }
        if case .text("") = node.value { return "" }
        guard let given = table.text(node, example: "example.org") else { return nil }
        let name = given.value.hasPrefix(".") ? given.value.dropFirst() : given.value[...]
        guard HostName.isValid(name), NumericHost.parseIPv4(name) == nil else {
            table.problems.add(
                given.node, "is \(given.node.kind), which is no host name",
                "needs one like \"example.org\"")
            return nil
        }
        return name.lowercased()
    }
}
