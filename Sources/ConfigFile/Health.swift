package import Backends

extension Configuration {
    /// `health`: how a process is asked whether it is well.
    package struct Health: Equatable, Sendable {
        /// Where it is asked; it begins with a slash.
        package var path: String
        package var interval = Interval.seconds(2)
        package var timeout = Interval.seconds(1)
        /// Good answers in a row after which a server that was down counts as well again; a process of
        /// Mooring's own is replaced instead.
        package var rise = 2
        /// Bad answers in a row after which it counts as ill.
        package var fall = 3

        package init(path: String) { self.path = path }

        /// The path by which requests of others are known as health checks; nil: they cannot be, for `/`
        /// is a page.
        package var pathOfChecks: String? {
            let path = path.prefix { $0 != "?" }
            return path == "/" ? nil : String(path)
        }

        /// The same for a group that Mooring only balances to.
        var ofServers: ServerHealth {
            ServerHealth(
                path: path, interval: interval, timeout: timeout, rise: rise, fall: fall)
        }

        /// Nil when it has no path: nobody is asked.
        init?(_ table: TableReader) {
            let given = table.optionalText("path", example: "/healthz")
            if !table.names.contains("path") {
                table.reportMissing(
                    ["path"], "has no path, so nobody is asked", "needs path = \"/healthz\"")
            }
            var health = Health(path: given?.value ?? "")
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
}
