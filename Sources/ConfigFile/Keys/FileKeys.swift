internal import Settings

/// The keys above all tables.
extension Configuration {
    static let topKeys: [KeyRow<Configuration>] = [
        KeyRow(
            "state_dir", type: "path",
            standard:
                """
                `$STATE_DIRECTORY`, else `/var/lib/mooring` for root, else \
                `$XDG_STATE_HOME/mooring` (`~/.local/state/mooring`)
                """,
            needsRestart: true,
            """
            Where the records of processes and the keys that sign cookies are stored. It must \
            survive a restart; set it when several balancers run on one machine.
            """,
            text: { .text($0.stateDirectory) }),
        KeyRow(
            "runtime_dir", type: "path",
            standard:
                """
                `$RUNTIME_DIRECTORY`, else `/run/mooring` for root, else \
                `$XDG_RUNTIME_DIR/mooring`, else a folder in `$TMPDIR`
                """,
            needsRestart: true,
            "Where sockets are created; at most 90 bytes, since the kernel limits socket paths.",
            text: { .text($0.runtimeDirectory) }),
        KeyRow(
            .integer(
                "workers", \.workers, in: 0...1024, needsRestart: true,
                """
                Threads that handle requests. 0: one per core; lower it to leave cores to the \
                application.
                """)),
        KeyRow(
            .integer(
                "spawn_concurrency", \.spawnConcurrency, in: 0...1024,
                """
                Processes that may start at the same time, over all groups. 0: half the cores, \
                at least 1; lower it where a start takes much memory or CPU time.
                """)),
        KeyRow(
            .integer(
                "max_processes", \.maxProcesses, in: 0...100_000,
                """
                Processes over all groups together, to bound memory. 0: only the limits of the \
                groups apply.
                """)),
    ]

    /// The keys that hold for the whole program, with the names of their tables.
    private static let keysOfAll: [KeyRow<Configuration>] =
        topKeys + Timeouts.rows.map { $0.at(\.timeouts, named: "timeouts.\($0.name)") }
        + Limits.rows.map { $0.at(\.limits, named: "limits.\($0.name)") }
        + LogSettings.rows.map { $0.at(\.log, named: "log.\($0.name)") }
        + Admin.keys.map { $0.at(\.admin, named: "admin.\($0.name)") }

    /// The keys that are read once, at startup, each with a function that prints its value.
    package static let keysReadOnce: [(name: String, value: @Sendable (Configuration) -> String)] =
        keysOfAll.filter(\.needsRestart).map { row in
            (row.name, { row.text($0)?.line ?? "" })
        }
}

extension Timeouts {
    static let rows = keys.map { KeyRow($0) }
}

extension RouteTimeouts {
    static let rows = keys.map { KeyRow($0) }
}

extension Limits {
    static let rows = keys.map { KeyRow($0) }
}

extension LogSettings {
    static let rows: [KeyRow<LogSettings>] =
        keys.map { KeyRow($0) } + [
            KeyRow(
                "access", type: "`\"stderr\"`, `\"off\"` or a path", needsRestart: true,
                """
                Where the access log goes, one line per request. SIGUSR1 reopens a file, for \
                logrotate.
                """,
                read: { log, table, folders in
                    log.access.destination =
                        destination(table, folders) ?? log.access.destination
                }, text: { .text($0.access.destination.text) }),
            KeyRow(
                "access_format", type: "`\"mooring\"`, `\"combined\"`, `\"json\"`",
                standard: "`\"mooring\"`; `\"json\"` with `format = \"json\"`",
                """
                The format of an access log line. `"combined"` is Apache's, which many programs \
                read; the other two add what Mooring did for the session. A line of `"mooring"` \
                has time, client, request line, status, bytes, the seconds in all, until a slot \
                was free and until the first byte, group, process, the cookie's verdict and \
                Mooring's action; `-` stands for what there was not.
                """,
                read: { log, table, _ in
                    // A reader of JSON logs cannot parse lines of any other format.
                    log.access.format =
                        table.choice("access_format", among: AccessLogSettings.Format.allCases)
                        ?? (log.format == .json ? .json : log.access.format)
                }, text: { .text($0.access.format.rawValue) }),
        ]

    private static func destination(
        _ table: TableReader, _ folders: Folders
    ) -> AccessLogSettings.Destination? {
        guard let given = table.text("access", example: "stderr") else { return nil }
        switch given.value {
        case "stderr": return .standardError
        case "off": return .off
        case "stdout", "-", "none", "syslog":
            table.problems.add(
                given.node, "is \(given.node.kind)", "needs \"stderr\", \"off\" or a file")
            return nil
        default:
            if given.value.hasSuffix("/") {
                table.problems.add(
                    given.node, "is \(given.node.kind), a folder", "needs a file's path")
            }
            return folders.path(given, table.problems).map { .file(path: $0) }
        }
    }
}

extension AccessLogSettings.Destination {
    fileprivate var text: String {
        switch self {
        case .off: "off"
        case .standardError: "stderr"
        case .file(let path): path
        }
    }
}
