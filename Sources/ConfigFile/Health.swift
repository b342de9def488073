internal import Settings

extension HealthPolicy {
    /// The keys of `health`.
    static let rows: [KeyRow<HealthPolicy>] =
        [
            KeyRow(
                "path", type: "path of a URL", standard: "",
                """
                What is asked for. Requests of others for this path take no session. `servers` \
                can do without if `interval` is given: they are well while they accept connections.
                """,
                read: { health, table, _ in health.path = path(table) ?? health.path },
                text: { $0.path.isEmpty ? nil : .text($0.path) }),
            KeyRow(
                "host", type: "host name", standard: "the group's `host_header`, or `localhost`",
                "The `Host` of the request, for servers that tell applications apart by it.",
                read: { health, table, _ in health.host = host(table) ?? health.host },
                text: { $0.host.isEmpty ? nil : .text($0.host) }),
            KeyRow(
                "status", type: "number, or text of numbers and ranges", standard: "`\"200-499\"`",
                """
                The statuses of a good answer, such as `"200-399"` or `"200,204,301-308"`. A server \
                that answers with another gets no new sessions, and keeps its own while it answers \
                them.
                """,
                read: { health, table, _ in health.status = status(table) ?? health.status },
                text: { $0.path.isEmpty ? nil : .text($0.status.text) }),
        ] + keys.map { KeyRow($0) }

    /// Nil if nothing says what to check.
    ///
    /// - Parameter connects: whether a connection can be the check, without a path.
    init?(_ table: TableReader, connects: Bool, _ folders: Folders) {
        self.init(path: "")
        let isConnect = connects && table.names.contains("interval")
        let hasPath = table.names.contains("path")
        if !hasPath, !isConnect {
            table.reportMissing(
                ["path"], "has no path, so nobody is asked",
                connects
                    ? "needs path = \"/healthz\", or an interval to check connections only"
                    : "needs path = \"/healthz\"")
        }
        table.read(Self.rows, into: &self, folders)
        for key in ["host", "status"] where !hasPath && isConnect && table.names.contains(key) {
            table.report(at: key, "means nothing without a path", "add path = \"/healthz\"")
        }
        table.finish()
        if path.isEmpty, !isConnect || hasPath { return nil }
    }

    private static func path(_ table: TableReader) -> String? {
        guard let given = table.optionalText("path", example: "/healthz") else { return nil }
        let isPath =
            given.value.hasPrefix("/") && given.value.utf8.count <= 1024
            && given.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        if !isPath {
            table.problems.add(
                given.node, "is \(given.node.kind)",
                "needs a path like \"/healthz\", percent-encoded where it is not ASCII")
        }
        return given.value
    }

    private static func host(_ table: TableReader) -> String? {
        guard let given = table.optionalText("host", example: "app.example.org") else {
            return nil
        }
        HostField.check(given, table.problems)
        return given.value
    }

    private static func status(_ table: TableReader) -> StatusRanges? {
        guard let node = table.take("status") else { return nil }
        let text: String? =
            switch node.value {
            case .integer(let number): "\(number)"
            case .text(let text): text
            default: nil
            }
        if let ranges = text.flatMap(StatusRanges.init(parsing:)) { return ranges }
        table.problems.add(
            node, "is \(node.kind), which is no list of statuses",
            "needs numbers and ranges from 200 to 599, like \"200-399\" or \"200,204\"")
        return nil
    }
}
