internal import Backends
package import Settings

/// Reads a configuration file and reports all its problems together.
package enum ConfigurationReader {
    /// The configuration read from a file or command line, and its problems.
    package struct Reading: Sendable {
        /// With defaults in place of invalid values; nil if the text cannot be parsed at all.
        package var configuration: Configuration?
        package var problems: [Problem]

        /// The configuration if there are no problems.
        package var result: Result<Configuration, ConfigurationProblems> {
            guard let configuration, problems.isEmpty else {
                return .failure(ConfigurationProblems(problems))
            }
            return .success(configuration)
        }
    }

    /// Validates a file's text: the configuration, or all problems.
    package static func read(
        text: String, file: String, folder: String, environment: [String: String], isRoot: Bool
    ) -> Result<Configuration, ConfigurationProblems> {
        examine(text: text, file: file, folder: folder, environment: environment, isRoot: isRoot)
            .result
    }

    /// Reads as much of a file's text as can be understood.
    ///
    /// - Parameters:
    ///   - file: as the user named it, for messages.
    ///   - folder: the file's folder, absolute; relative paths start there.
    ///   - environment: Mooring's own, for the default folders.
    ///   - isRoot: whether Mooring runs as root, which has other default folders and requires
    ///     `user` in every group.
    package static func examine(
        text: String, file: String, folder: String, environment: [String: String], isRoot: Bool
    ) -> Reading {
        let problems = ProblemList(file: file)
        let context = Folders.Context(
            folder: folder, environment: environment, isRoot: isRoot)
        guard let node = Document.parse(text, problems), let root = TableReader(node, problems)
        else { return Reading(problems: problems.sorted.problems) }
        return build(root, context)
    }

    /// The `[log]` section alone, even if the rest of the file has problems.
    ///
    /// So that these problems can be logged in the format that the file selects.
    package static func readLog(text: String) -> LogSettings? {
        let problems = ProblemList(file: nil)
        guard let node = Document.parse(text, problems), let root = TableReader(node, problems)
        else { return nil }
        let folders = Folders(root, .init(folder: "/", environment: [:], isRoot: false))
        var log = LogSettings()
        guard let table = root.table("log") else { return nil }
        table.read(LogSettings.rows, into: &log, folders)
        return log
    }

    /// Reads the top table, section by section.
    static func build(
        _ root: TableReader, _ context: Folders.Context
    ) -> Reading {
        let problems = root.problems
        let folders = Folders(root, context)
        let listeners = ListenReader(folders: folders, problems: problems).read(root)
        let timeouts = section("timeouts", Timeouts.rows, of: Timeouts(), root, folders)
        let limits = section("limits", Limits.rows, of: Limits(), root, folders)
        let log = section("log", LogSettings.rows, of: LogSettings(), root, folders)
        let dns = section("dns", NameService.rows, of: NameService(), root, folders)
        if dns.minTTL > dns.maxTTL {
            root.report(at: "dns", "has a min_ttl above its max_ttl", "needs min_ttl <= max_ttl")
        }
        let admin = Configuration.Admin(root.table("admin"), folders)
        checkApart(listeners, admin, root)
        let (affinity, keys) = affinity(root, folders)
        let (read, names) = groups(root, folders, affinity, timeouts.route)
        var groups = read
        let routes = RoutesReader(
            groups: groups, groupNames: names, problems: problems, folders: folders
        ).read(root)
        for route in routes where route.affinity.namesSessions {
            guard let group = route.group, group < groups.count else { continue }
            groups[group].policy.namesSessions = true
        }
        var configuration = Configuration(
            stateDirectory: folders.state, runtimeDirectory: folders.runtime,
            listeners: listeners.map(\.value), timeouts: timeouts, limits: limits, log: log,
            dns: dns,
            admin: admin, affinity: affinity, keysFile: keys, groups: groups, routes: routes,
            isRoot: context.isRoot,
            locations: FileLocations(root.node, file: problems.file))
        root.read(Configuration.topKeys, into: &configuration, folders)
        root.finish()
        return Reading(configuration: configuration, problems: problems.sorted.problems)
    }

    /// Reads a table that consists only of rows.
    private static func section<Owner>(
        _ name: String, _ rows: [KeyRow<Owner>], of fresh: Owner, _ root: TableReader,
        _ folders: Folders
    ) -> Owner {
        var owner = fresh
        guard let table = root.table(name) else { return owner }
        table.read(rows, into: &owner, folders)
        table.finish()
        return owner
    }

    /// Clients and administrators must not share an address.
    private static func checkApart(
        _ listeners: [Located<Configuration.Listener>], _ admin: Configuration.Admin,
        _ root: TableReader
    ) {
        for listener in listeners where listener.value.address == .address(admin.address) {
            root.problems.add(
                line: listener.node.line, key: "listen.address",
                "is the address of the admin API", "give one of the two another")
        }
    }

    private static func affinity(
        _ root: TableReader, _ folders: Folders
    ) -> (Configuration.Affinity, keys: String) {
        let standard = Configuration.standardKeysFile(in: folders.state)
        guard let table = root.table("affinity") else { return (.init(), standard) }
        let keys = folders.path(
            table.text("keys", example: "{state_dir}/session.keys"), table.problems)
        return (Configuration.Affinity(table, over: .init(), at: .file, folders), keys ?? standard)
    }

    /// The groups that could be read, and the names of all.
    private static func groups(
        _ root: TableReader, _ folders: Folders, _ affinity: Configuration.Affinity,
        _ timeouts: RouteTimeouts
    ) -> ([Configuration.Group], names: [String]) {
        guard let node = root.take("group") else {
            noGroup(root)
            return ([], [])
        }
        guard let table = TableReader(node, root.problems) else { return ([], []) }
        if table.names.isEmpty { noGroup(root) }
        let groups = table.names.compactMap { name in
            table.table(name).map {
                GroupReader(table: $0, folders: folders).read(over: affinity, timeouts)
            }
        }
        return (groups, table.names)
    }

    /// If there is no group, a `wsgi` or `command` above all tables is reported as the one mistake.
    private static func noGroup(_ root: TableReader) {
        let kinds = ["wsgi", "asgi", "command", "servers"]
        var isMeant = false
        for name in root.names {
            if kinds.contains(name) {
                root.refuse(name, "stands outside of a group", "write [group.app] above it")
                isMeant = true
            } else if case .table(let entries) = root.peek(name)?.value,
                entries.contains(where: { kinds.contains($0.name) })
            {
                let meant = TOMLText.key(name)
                root.refuse(name, "is no section", "did you mean [group.\(meant)]?")
                isMeant = true
            }
        }
        if isMeant { return }
        root.reportMissing(
            ["group"], at: "group", "there is none",
            "a whole file can be [group.app] and below it wsgi = \"app.wsgi\"")
    }
}
