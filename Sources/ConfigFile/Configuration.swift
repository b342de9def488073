internal import Backends
package import Routing
package import Settings

/// A validated configuration, with all defaults filled in and all paths absolute.
package struct Configuration: Equatable, Sendable {
    /// Holds the keyring and the process records.
    package var stateDirectory: String
    /// Holds the sockets.
    package var runtimeDirectory: String
    /// Loop threads; 0: one per core.
    package var workers = 0
    /// Concurrent starts over all groups; 0: half the cores, at least 1.
    package var spawnConcurrency = 0
    /// Processes over all groups; 0: no limit.
    package var maxProcesses = 0
    /// At least one, addresses unique.
    package var listeners: [Listener]
    package var timeouts = Timeouts()
    package var limits = Limits()
    package var log = LogSettings()
    package var dns = NameService()
    package var admin: Admin
    /// The defaults of groups and routes.
    package var affinity: Affinity
    /// The path of the keyring.
    package var keysFile: String
    /// At least one, names unique; in file order.
    package var groups: [Group]
    /// At least one, host and path unique; in file order.
    package var routes: [RouteSettings]
    /// Whether root read the file: groups without `user` then run as root.
    package var isRoot = false
    /// Error pages show the last output of the process: with `mooring run` the visitor is the
    /// developer.
    package var showsOutput = false
    /// Positions of the keys, for problems found only when files and accounts are looked up.
    package var locations = FileLocations()

    /// The keyring's path while the running program still uses another state directory.
    ///
    /// Changing `state_dir` needs a restart; a path set by `affinity.keys` does not depend on it.
    package func keysFile(inStateDirectory running: String) -> String {
        keysFile == Self.standardKeysFile(in: stateDirectory)
            ? Self.standardKeysFile(in: running) : keysFile
    }

    static func standardKeysFile(in state: String) -> String { "\(state)/session.keys" }

    /// The input of the route table; `affinity` is the index in `self.routes`.
    package var routeTable: RouteTable {
        RouteTable(
            routes.enumerated().map { index, route in
                Route(
                    host: route.pattern.host, prefix: route.pattern.prefix,
                    group: route.group ?? -1,
                    stripPrefix: route.stripPrefix, affinity: index)
            })
    }

    /// Valid settings that are probably mistakes; one sentence each.
    package var warnings: [String] {
        groups.indices.filter { index in !routes.contains { $0.group == index } }.map { index in
            "group.\(groups[index].name): no route leads to it; add one under [routes],"
                + " or take the group out"
        } + sharedCookieWarnings + userWarnings + rootWarnings + healthWarnings + phpWarnings
    }

    private var userWarnings: [String] {
        guard listeners.allSatisfy({ $0.trustedProxies.isEmpty }) else { return [] }
        let fields = Set(routes.map(\.affinity.userField)).subtracting([""]).sorted()
        return fields.map { field in
            "affinity.by: no listener trusts a proxy, so that \(field) is never believed and every"
                + " request goes by its cookie; set trusted_proxies to the one that signs users in"
        }
    }

    private var phpWarnings: [String] {
        groups.filter { group in
            group.upstreamProtocol == .fastcgi && group.runsPHPCGI && group.policy.threads > 1
        }.map { group in
            "group.\(group.name).threads: php-cgi serves one request at a time, so that others wait"
                + " where no other process can take them; take threads out, and raise processes"
        }
    }

    private var healthWarnings: [String] {
        groups.filter { group in
            group.health != nil && group.servers.contains { $0.tls != nil }
        }.map { group in
            "group.\(group.name).health: servers behind https:// are not asked; one that fails"
                + " its requests is left alone for a while by itself"
        }
    }

    private var rootWarnings: [String] {
        let names = groups.filter { group in
            group.launch.map { isRoot && $0.isolation.user == nil } ?? false
        }.map { "group.\($0.name)" }
        guard !names.isEmpty else { return [] }
        return [
            "\(names.joined(separator: ", ")): processes run as root, which allow_root permits;"
                + " set `user` to an unprivileged account"
        ]
    }
}
