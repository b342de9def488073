internal import SessionAffinity
internal import Settings

extension Configuration.Affinity {
    /// `carrier`: what the session is carried by.
    static let carrier = KeyRow<Configuration.Affinity>(
        "carrier", type: "`\"cookie\"`, `\"header:NAME\"`",
        """
        What carries the session: Mooring's cookie, or a response field of the application that its \
        clients send back, such as `"header:Mcp-Session-Id"`, for clients without cookies. A session \
        then begins when a response has the field. Mooring's token stands behind the application's own \
        value, which the application gets without it; it is never renewed, and valid as long as the \
        process lives. With `on_lost = "refuse"` a lost session is answered 404.
        """,
        read: { affinity, table, _ in
            affinity.carrier = CarrierText(table).carrier ?? affinity.carrier
        }, text: { .text($0.carrier.text) })
}

/// The value of `carrier`.
private struct CarrierText {
    let table: TableReader

    init(_ table: TableReader) { self.table = table }

    private static let right = "needs \"cookie\", or \"header:NAME\" like \"header:Mcp-Session-Id\""

    /// Fields with a meaning of their own, which no session can be in.
    private static let reserved: Set<String> = [
        "accept", "accept-encoding", "alt-svc", "authorization", "cache-control", "connection",
        "content-encoding", "content-length", "content-type", "cookie", "date", "etag", "expect",
        "forwarded", "host", "keep-alive", "location", "max-forwards", "origin", "proxy",
        "proxy-authenticate", "proxy-authorization", "proxy-connection", "proxy-status", "range",
        "referer", "retry-after", "sec-websocket-version", "set-cookie", "te", "traceparent",
        "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via",
        "www-authenticate", "x-request-id",
    ]

    var carrier: SessionCarrier? {
        guard let given = table.text("carrier", example: "cookie") else { return nil }
        if given.value == "cookie" { return .cookie }
        let parts = given.value.split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "header" else {
            table.problems.add(
                given.node, "is \(given.node.kind), which carries no session", Self.right)
            return nil
        }
        return header(String(parts[1]), given.node)
    }

    private func header(_ name: String, _ node: ConfigNode) -> SessionCarrier? {
        let lower = name.lowercased()
        guard CookieAttributes.isValidName(name), !name.contains("_") else {
            table.problems.add(node, "names no field", Self.right)
            return nil
        }
        guard !Self.reserved.contains(lower), !lower.hasPrefix("mooring-"),
            !lower.hasPrefix("x-forwarded-"), !lower.hasSuffix("-cache-control")
        else {
            table.problems.add(
                node, "names a field with a meaning of its own",
                "name the one in which the application sends its session id")
            return nil
        }
        return .header(name)
    }
}
