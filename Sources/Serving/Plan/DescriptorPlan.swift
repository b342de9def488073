internal import Backends
internal import ConfigFile
internal import Logging
internal import Supervision

/// Divides the limit of open files (RLIMIT_NOFILE) between clients, processes and the program.
///
/// The program's own share is never used for clients: a library that unexpectedly cannot open a
/// file may end the program.
struct DescriptorPlan: Equatable {
    /// Client connections: `limits.connections`, or fewer.
    let connections: Int
    /// Connections to processes, and files on their way to clients.
    let upstreams: Int
    /// The limit of open files.
    let limit: Int
    /// The number of connections is lower than configured.
    let isLowered: Bool

    /// For loops, listeners, logs, state files, the admin API and its connections.
    private static let reserve = 96
    /// The number of admin connections when the usual number would use up most of the reserve.
    static let fewAdminConnections = 24
    /// Whether the reserve has room for only a few admin connections.
    var isScarce: Bool { limit < 1024 }
    /// A pidfd, two outputs open in both directions, and the temporary descriptors of a start, for
    /// each process.
    private static let perProcess = 6
    /// With fewer of either, nothing can be served.
    private static let fewest = 16

    init(limit: Int, connections wanted: Int, processes: Int, slots: Int) {
        self.limit = limit
        let ofProcesses = min(processes * Self.perProcess, limit / 3)
        let left = max(limit - Self.reserve - ofProcesses, 2 * Self.fewest)
        // Each slot needs one connection at most, and each client uses one slot, or one file, at a
        // time.
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

    /// The addition to the start line; empty: as configured.
    var note: String {
        isLowered
            ? " (at most \(connections) connections, for the limit of open files is \(limit))" : ""
    }

    /// Divides a limit for a configuration.
    init(limit: Int, for configuration: Configuration) {
        let bound = configuration.maxProcesses > 0 ? configuration.maxProcesses : 10_000
        let processes = configuration.groups.reduce(0) { sum, group in
            group.policy.kind == .spawned ? sum + min(group.policy.maximum, 10_000) : sum
        }
        let slots = configuration.groups.reduce(0) { sum, group in
            sum + min(group.policy.maximum, 10_000) * min(group.policy.threads, 100_000)
        }
        let files =
            configuration.routes.contains { $0.files != nil }
            ? configuration.limits.connections : 0
        self.init(
            limit: limit, connections: configuration.limits.connections,
            processes: min(processes, bound), slots: slots + files)
    }

    /// Raises the soft limit to the hard one, and divides the result.
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
