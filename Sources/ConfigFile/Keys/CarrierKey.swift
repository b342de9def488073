internal import SessionAffinity
internal import Settings

extension Configuration.Affinity {
    /// `carrier`: what the session is carried by.
    static let carrier = KeyRow<Configuration.Affinity>(
        "carrier", type: "`\"cookie\"`, `\"header:NAME\"`, `\"query:NAME\"`, `\"path:N\"`",
        """
        What carries the session, for clients without cookies. `"header:Mcp-Session-Id"`: a response \
        field of the application that its clients send back; Mooring's token stands behind its value, \
        and is taken off before the application sees it. It is never renewed, and valid as long as the \
        process lives. `"query:sid"`, `"path:2"`: an id of the application in a parameter of the \
        query, or in a segment of the path, which Mooring remembers when the application issues or \
        accepts it. A session begins with the field, or with the id. With `on_lost = "refuse"` a lost \
        session is answered 404.
        """,
        read: { affinity, table, _ in
            affinity.carrier = CarrierText(table, "carrier").carrier ?? affinity.carrier
        }, text: { .text($0.carrier.text) })

    /// `by`: whose session it is.
    static let by = KeyRow<Configuration.Affinity>(
        "by", type: "`\"\"`, `\"header:NAME\"`",
        """
        A request field in which the `trusted_proxies` of the listener name the user, such as \
        `"header:X-Auth-User"`: one user has one session on one process, whatever the browser. From \
        others the field is removed. Requests without it go by their cookie.
        """,
        read: { affinity, table, _ in
            affinity.userField = CarrierText(table, "by").userField ?? affinity.userField
        },
        text: { .text($0.userField.isEmpty ? "" : SessionCarrier.header($0.userField).text) })
}

/// The value of `carrier` or `by`.
private struct CarrierText {
    private let table: TableReader
    private let key: String

    init(_ table: TableReader, _ key: String) {
        self.table = table
        self.key = key
    }

    private static let right =
        "needs \"cookie\", \"header:NAME\" like \"header:Mcp-Session-Id\", \"query:NAME\" like"
        + " \"query:sid\", or \"path:N\" with N from 1 to 16"

    /// Fields with a meaning of their own, which no session can be in.
    private static let reserved: Set<String> = [
        "accept", "accept-encoding", "alt-svc", "authorization", "cache-control", "connection",
        "content-encoding", "content-length", "content-type", "cookie", "date", "etag", "expect",
        "forwarded", "host", "keep-alive", "location", "max-forwards", "origin", "proxy",
        "proxy-authenticate", "proxy-authorization", "proxy-connection", "proxy-status", "range",
        "referer", "retry-after", "sec-websocket-version", "set-cookie", "te", "traceparent",
        "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via",
        "www-authenticate", "x-real-ip", "x-request-id",
    ]

    /// Fields that proxies add for every client; they identify no user.
    private static let ofClients: Set<String> = [
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-https", "x-forwarded-port",
        "x-forwarded-prefix", "x-forwarded-proto", "x-forwarded-protocol", "x-forwarded-scheme",
        "x-forwarded-server", "x-forwarded-ssl",
    ]

    var carrier: SessionCarrier? {
        guard let given = table.text(key, example: "cookie") else { return nil }
        if given.value == "cookie" { return .cookie }
        let (kind, name) = parts(given.value)
        switch kind {
        case "header": return header(name, given.node).map { .header($0) }
        case "query" where isParameter(name): return .query(name)
        case "path":
            if let number = Int(name), (1...16).contains(number), name == "\(number)" {
                return .path(number)
            }
        default: break
        }
        table.problems.add(
            given.node, "is \(given.node.kind), which carries no session", Self.right)
        return nil
    }

    /// The field that names the user; empty: none.
    var userField: String? {
        guard let node = table.take(key) else { return nil }
        if case .text("") = node.value { return "" }
        guard let given = table.text(node, example: "header:X-Auth-User") else { return nil }
        let (kind, name) = parts(given.value)
        if kind == "header" { return header(name, node) }
        table.problems.add(
            node, "is \(node.kind), which names no user",
            "needs a field of a trusted proxy, like \"header:X-Auth-User\"")
        return nil
    }

    private func parts(_ text: String) -> (kind: String, name: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count == 2 ? String(parts[1]) : "")
    }

    /// Characters that need no percent-encoding (RFC 3986 section 2.3).
    private func isParameter(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { TOMLText.isBareKeyByte($0) || $0 == 0x2e || $0 == 0x7e }
    }

    private func header(_ name: String, _ node: ConfigNode) -> String? {
        let lower = name.lowercased()
        guard CookieAttributes.isValidName(name), !name.contains("_") else {
            table.problems.add(
                node, "names no field", "needs letters, digits and \"-\", like X-Session-Id")
            return nil
        }
        let isForwarded = lower.hasPrefix("x-forwarded-")
        guard !Self.reserved.contains(lower), !lower.hasPrefix("mooring-"),
            !lower.hasSuffix("-cache-control"),
            !isForwarded || key == "by" && !Self.ofClients.contains(lower)
        else {
            table.problems.add(
                node, "names a field with a meaning of its own",
                key == "by"
                    ? "name the one in which your proxy sends the user"
                    : "name the one in which the application sends its session id")
            return nil
        }
        return name
    }
}
