internal import Logging
internal import Reactor

/// Probes other than those of the processes themselves, and limits on logging about them.
struct Probes {
    /// Watches for sockets that processes create.
    var sockets = SocketWatch()
    /// External servers with health checks.
    var servers = ServerWatches()
    /// The names of external servers.
    var names = ServerNames()
    /// Polled for listeners of starting processes.
    let listeners = ListenerQuestion()
    /// Which starts are active and which only sleep.
    var startActivity = StartActivity()
    /// Until then a lack of descriptors or memory is not logged again.
    private var scarcityLogAt = Int64.min
    private static let scarcityPause: Int64 = 10_000_000_000

    /// By group the health path that is known to be missing (404).
    private var missingPaths: [Int: String] = [:]

    /// Whether the missing health path of a group was not known yet.
    mutating func isNews(missingPath path: String, group: Int) -> Bool {
        missingPaths.updateValue(path, forKey: group) != path
    }

    /// The earliest time at which one of these is due.
    var nextDeadline: Int64? {
        [sockets.armAt, servers.nextDeadline, names.nextDeadline].compactMap(\.self).min()
    }

    /// Logs, at most every ten seconds, that processes cannot be probed.
    mutating func logScarcity(_ error: SystemError, now: Int64, log: Logger) {
        guard now >= scarcityLogAt else { return }
        scarcityLogAt = now + Self.scarcityPause
        log.warning(
            """
            processes cannot be asked whether they are ready or well: \(error); \
            \(SystemError.remedy(error.errno))
            """)
    }
}
