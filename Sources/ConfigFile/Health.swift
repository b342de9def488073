internal import Settings

extension HealthPolicy {
    /// The keys of `health`.
    static let rows: [KeyRow<HealthPolicy>] =
        [
            KeyRow(
                "path", type: "path of a URL", standard: "",
                """
                What is asked for; an answer from 200 to 499 is good. Requests of others for \
                this path take no session.
                """,
                read: { health, table, _ in health.path = path(table) ?? health.path },
                text: { .text($0.path) })
        ] + keys.map { KeyRow($0) }

    /// Nil if it has no path: then there are no health checks.
    init?(_ table: TableReader, _ folders: Folders) {
        self.init(path: "")
        if !table.names.contains("path") {
            table.reportMissing(
                ["path"], "has no path, so nobody is asked", "needs path = \"/healthz\"")
        }
        table.read(Self.rows, into: &self, folders)
        table.finish()
        if path.isEmpty { return nil }
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
}
