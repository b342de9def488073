package import Routing
package import Settings

/// A validated configuration, all defaults filled in and all paths absolute.
package struct Configuration: Equatable, Sendable {
    /// Where keys are kept.
    package var stateDirectory: String
    /// Where sockets are made.
    package var runtimeDirectory: String
    /// Loop threads; 0: one per core.
    package var workers = 0
    /// Processes starting at once, over all groups; 0: half the cores, at least 1.
    package var spawnConcurrency = 0
    /// Processes over all groups; 0: no limit.
    package var maxProcesses = 0
    /// At least one, no two alike.
    package var listeners: [Listener]
    package var timeouts = Timeouts()
    package var limits = Limits()
    package var log = LogSettings()
    package var admin: Admin
    /// What groups and routes begin with.
    package var affinity: Affinity
    /// The keyring's file.
    package var keysFile: String
    /// At least one, names unique; in the order of the file.
    package var groups: [Group]
    /// At least one, host and path unique; in the order of the file.
    package var routes: [RouteSettings]
    /// Whether it was read by root, whose groups run as root when they name no user.
    package var isRoot = false
    /// Visitors are shown what a process wrote last: its developer is the only one (`mooring run`).
    package var showsOutput = false
    /// Where its keys stand, for problems that show only on the machine.
    package var locations = FileLocations()

    /// The keyring of a program that has another state directory, until it is started anew.
    ///
    /// A file that is named by `affinity.keys` is the same wherever the state is kept.
    package func keysFile(inStateDirectory running: String) -> String {
        keysFile == Self.standardKeysFile(in: stateDirectory)
            ? Self.standardKeysFile(in: running) : keysFile
    }

    static func standardKeysFile(in state: String) -> String { "\(state)/session.keys" }

    /// The routes for the route table; `affinity` is the place in `self.routes`.
    package var routeTable: RouteTable {
        RouteTable(
            routes.enumerated().map { index, route in
                Route(
                    host: route.pattern.host, prefix: route.pattern.prefix, group: route.group,
                    stripPrefix: route.stripPrefix, affinity: index)
            })
    }

    /// What is allowed, but hardly meant; one sentence each.
    package var warnings: [String] {
        groups.indices.filter { index in !routes.contains { $0.group == index } }.map { index in
            "group.\(groups[index].name): no route leads to it; add one under [routes],"
                + " or take the group out"
        } + sharedCookieWarnings + rootWarnings + healthWarnings
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
