internal import Backends
internal import Routing
internal import Settings

/// A table of the file as its reference shows it.
package struct ConfigurationTable: Sendable {
    /// One of its keys.
    package struct Row: Sendable {
        package let name: String
        /// What may be written.
        package let type: String
        /// As it is written, or in words; empty: there is none.
        package let standard: String
        package let help: String
        /// Read once, at the start.
        package let needsRestart: Bool
        /// Processes are started with it: a change begins a new generation.
        package let isOfLaunch: Bool
    }

    /// As its header is written.
    package let name: String
    package let about: String
    package let rows: [Row]

    private init<Owner>(
        _ name: String, _ about: String, _ rows: [KeyRow<Owner>], of fresh: Owner
    ) {
        self.name = name
        self.about = about
        self.rows = rows.map { row in
            Row(
                name: row.name, type: row.type,
                standard: row.standard ?? row.text(fresh)?.line.map { "`\($0)`" } ?? "",
                help: row.help, needsRestart: row.needsRestart, isOfLaunch: row.launch != nil)
        }
    }

    /// All tables, in the order of a file.
    package static let all: [ConfigurationTable] = {
        let affinity = Configuration.Affinity()
        let launch = Configuration.Launch(directory: "")
        let group = Configuration.Group(
            policy: GroupPolicy(name: ""), launch: launch, affinity: affinity, timeouts: .init())
        let file = Configuration(
            stateDirectory: "", runtimeDirectory: "", listeners: [],
            admin: .init(address: .unix(path: "/")), affinity: affinity, keysFile: "", groups: [],
            routes: [])
        let route = Configuration.RouteSettings(
            pattern: RoutePattern(host: "", prefix: "/"), group: 0, affinity: affinity,
            timeouts: .init())
        return [
            .init("Above all tables", "", Configuration.topKeys, of: file),
            .init(
                "[[listen]]", "An address for clients; there may be several.",
                Configuration.Listener.keys, of: .init(.inherited(name: ""))),
            .init(
                "[[listen.tls]]",
                "A certificate of the listener above it. Both files are read again at a reload.",
                Configuration.Listener.Certificate.keys, of: .init(certificate: "", key: "")),
            .init(
                "[timeouts]",
                """
                How long clients and processes are waited for. `response`, `idle` and \
                `tunnel` can also be set in a group and in a route, as `timeouts = { … }`.
                """,
                Timeouts.rows, of: .init()),
            .init("[limits]", "How much clients may take.", Limits.rows, of: .init()),
            .init(
                "[log]", "What is logged on stderr, and the access log.", LogSettings.rows,
                of: .init()),
            .init(
                "[admin]", "The admin API, which `mooring status` and other commands use.",
                Configuration.Admin.keys, of: file.admin),
            .init(
                "[affinity]",
                """
                How sessions are held. Each key can also be set in a group, as `affinity = { \
                … }`, but for `keys`; and in a route, but for `idle`, `unconfirmed` and \
                `on_lost` too.
                """,
                Configuration.Affinity.keys, of: affinity),
            .init(
                "[group.NAME]",
                """
                A set of interchangeable processes. The name has 1 to 32 letters, digits, \
                `-` and `_`.
                """,
                Configuration.Group.keys, of: group),
            .init(
                "servers = [{ … }]", "A server of a group.", ServersReader.Item.keys, of: .init()),
            .init(
                "health = { … }",
                """
                How the processes or servers of a group are asked whether they are well. \
                Servers behind `https://` are not asked.
                """,
                HealthPolicy.rows, of: .init(path: "")),
            .init(
                "[routes]",
                """
                `"HOST/PATH"` or `"/PATH"`, and where requests for it go: the name of a \
                group, or a table. The longest path wins, by whole segments. A single group \
                needs no routes.
                """,
                Configuration.RouteSettings.keys, of: route),
        ]
    }()
}
