internal import Backends
internal import ConfigFile
internal import Logging
internal import Supervision

/// How the limit of open files (RLIMIT_NOFILE) is shared between clients, processes and the program.
///
/// What the program needs for itself is never given to clients: a library that cannot open a file
/// where it counts on it ends the program.
struct DescriptorPlan: Equatable {
    /// Client connections: `limits.connections`, or fewer.
    let connections: Int
    /// Connections to processes.
    let upstreams: Int
    /// The limit of open files.
    let limit: Int
    /// There are fewer connections than are asked for.
    let isLowered: Bool

    /// Loops, listeners, logs, state files, the admin API and its connections.
    private static let reserve = 96
    /// What the admin API may have where all of its usual connections would take most of the reserve.
    static let fewAdminConnections = 24
    /// The reserve has room for few connections of the admin API.
    var isScarce: Bool { limit < 1024 }
    /// A pidfd, two outputs open both ways, and what a start needs for a moment, for each process.
    private static let perProcess = 6
    /// With fewer of either nothing can be served.
    private static let fewest = 16

    init(limit: Int, connections wanted: Int, processes: Int, slots: Int) {
        self.limit = limit
        let ofProcesses = min(processes * Self.perProcess, limit / 3)
        let left = max(limit - Self.reserve - ofProcesses, 2 * Self.fewest)
        // Each slot has a connection at most, and each client has one slot at a time.
        let needed = min(slots, wanted)
        if wanted + needed <= left {
            connections = wanted
            upstreams = left - wanted
        } else {
            upstreams = min(max(min(slots, left / 2), Self.fewest), left - Self.fewest)
            connections = min(wanted, left - upstreams)
        }
        isLowered = connections < wanted
    }

    /// What the start line says of it; empty: as configured.
    var note: String {
        isLowered
            ? " (at most \(connections) connections, for the limit of open files is \(limit))" : ""
    }

    /// What a configuration can have of a limit.
    init(limit: Int, for configuration: Configuration) {
        let bound = configuration.maxProcesses > 0 ? configuration.maxProcesses : 10_000
        let processes = configuration.groups.reduce(0) { sum, group in
            group.policy.kind == .spawned ? sum + min(group.policy.maximum, 10_000) : sum
        }
        let slots = configuration.groups.reduce(0) { sum, group in
            sum + min(group.policy.maximum, 10_000) * min(group.policy.threads, 100_000)
        }
        self.init(
            limit: limit, connections: configuration.limits.connections,
            processes: min(processes, bound), slots: slots)
    }

    /// Raises the soft limit to the hard one, and plans with what there is.
    static func make(for configuration: Configuration, log: Logger) -> DescriptorPlan {
        let plan = DescriptorPlan(limit: OpenFiles.raise(), for: configuration)
        if plan.isLowered {
            let wanted = configuration.limits.connections
            log.warning(
                """
                limits.connections is lowered from \(wanted) to \(plan.connections), for the limit of \
                open files is \(plan.limit); raise it (LimitNOFILE=, ulimit -Hn)
                """)
        }
        return plan
    }
}
