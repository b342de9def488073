internal import Settings

extension HealthPolicy {
    /// Nil when it has no path: nobody is asked.
    init?(_ table: TableReader) {
        let given = table.optionalText("path", example: "/healthz")
        if !table.names.contains("path") {
            table.reportMissing(
                ["path"], "has no path, so nobody is asked", "needs path = \"/healthz\"")
        }
        var health = HealthPolicy(path: given?.value ?? "")
        health.interval =
            table.duration("interval", atLeast: .milliseconds(50)) ?? health.interval
        health.timeout =
            table.duration("timeout", atLeast: .milliseconds(10)) ?? health.timeout
        health.rise = table.integer("rise", in: 1...1000) ?? health.rise
        health.fall = table.integer("fall", in: 1...1000) ?? health.fall
        table.finish()
        guard let given else { return nil }
        let isPath =
            given.value.hasPrefix("/") && given.value.utf8.count <= 1024
            && given.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        if !isPath {
            table.problems.add(
                given.node, "is \(given.node.kind)",
                "needs a path like \"/healthz\", percent-encoded where it is not ASCII")
        }
        self = health
    }
}
