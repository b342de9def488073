internal import Backends
internal import Routing
internal import Settings

/// A table of the file as its reference shows it.
package struct ConfigurationTable: Sendable {
    /// One of its keys.
    package struct Row: Sendable {
        package let name: String
        /// The values that the key accepts.
        package let type: String
        /// The default, as TOML or in words; empty: the key is required or has none.
        package let standard: String
        package let help: String
        /// Read once, at startup.
        package let needsRestart: Bool
        /// Processes are started with it: a change starts a new generation.
        package let isOfLaunch: Bool
    }

    /// The table's header as the file writes it.
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

    /// All tables, in the order in which the reference lists them.
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
                "A certificate of the listener above it. A reload reads both files again.",
                Configuration.Listener.Certificate.keys, of: .init(certificate: "", key: "")),
            .init(
                "[timeouts]",
                """
                How long Mooring waits for clients and processes. `response`, `idle` and \
                `tunnel` can also be set in a group and in a route, as `timeouts = { … }`.
                """,
                Timeouts.rows, of: .init()),
            .init("[limits]", "Bounds on what clients may use.", Limits.rows, of: .init()),
            .init(
                "[log]", "What is logged on stderr, and the access log.", LogSettings.rows,
                of: .init()),
            .init(
                "[dns]", "How the names in `servers` of groups are looked up.", NameService.rows,
                of: .init()),
            .init(
                "[admin]", "The admin API, which `mooring status` and other commands use.",
                Configuration.Admin.keys, of: file.admin),
            .init(
                "[affinity]",
                """
                How sessions are pinned to processes. Every key except `keys` can also be set in \
                a group, as `affinity = { … }`; a route can set all of those except `idle`, \
                `unconfirmed` and `on_lost`.
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
                "fastcgi = { … }",
                """
                What the processes of a group with `protocol = "fastcgi"` run. `PHP_FCGI_CHILDREN` \
                may not be set for them: `processes` says how many there are.
                """,
                FastCGIPolicy.rows, of: .init()),
            .init(
                "health = { … }",
                """
                Health checks of the processes or servers of a group. A server that answers badly \
                gets no new sessions and keeps its own; they move when it does not answer at all.
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
