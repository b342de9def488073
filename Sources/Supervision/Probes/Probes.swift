internal import Logging
internal import Reactor

/// What is asked beside the processes themselves, and what may be said of it.
struct Probes {
    /// Tells of sockets that processes make.
    var sockets = SocketWatch()
    /// External servers that are asked for their health.
    var servers = ServerWatches()
    /// Asked again and again where processes that start may listen.
    let listeners = ListenerQuestion()
    /// Which starts work and which only sleep.
    var startActivity = StartActivity()
    /// Until when a lack of descriptors or memory is not told again.
    private var scarcityLogAt = Int64.min
    private static let scarcityPause: Int64 = 10_000_000_000

    /// By group the health path that is known to lead nowhere.
    private var missingPaths: [Int: String] = [:]

    /// Whether it was not known of a group that there is nothing at its health path.
    mutating func isNews(missingPath path: String, group: Int) -> Bool {
        missingPaths.updateValue(path, forKey: group) != path
    }

    /// The earliest time at which one of these is due.
    var nextDeadline: Int64? { [sockets.armAt, servers.nextDeadline].compactMap(\.self).min() }

    /// Tells the operator, at most every ten seconds, that processes cannot be asked.
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
