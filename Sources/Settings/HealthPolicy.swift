/// Health checks of processes and external servers (`health`).
///
/// A check occupies one of the process's threads until it is answered. A process whose threads are
/// all busy for longer than `timeout` × `fall` fails its checks.
package struct HealthPolicy: Equatable, Sendable {
    /// The path to request: absolute, with a query if needed; empty: a server that accepts a
    /// connection is well.
    package var path: String
    /// The `Host` of the request; empty: `localhost`.
    package var host = ""
    /// The statuses of a good answer.
    package var status = StatusRanges(200...499)
    /// Time between checks, ±10 %.
    package var interval = Interval.seconds(2)
    /// For one answer, including the connect.
    package var timeout = Interval.seconds(1)
    /// Consecutive good answers after which a failed server gets requests again; Mooring's own
    /// processes are replaced instead.
    package var rise = 2
    /// Consecutive bad answers after which a process or server counts as failed.
    package var fall = 3

    package init(path: String) { self.path = path }

    /// The path by which health checks that others send through Mooring are recognised; nil when
    /// `path` is `/`, which is also a page, or empty.
    package var pathOfChecks: String? {
        let path = path.prefix { $0 != "?" }
        return path.isEmpty || path == "/" ? nil : String(path)
    }
}

extension HealthPolicy {
    /// The keys of `health` that are plain.
    package static let keys: [Key<HealthPolicy>] = [
        .duration(
            "interval", \.interval, atLeast: .milliseconds(50),
            "Time between health checks, give or take a tenth."),
        .duration(
            "timeout", \.timeout, atLeast: .milliseconds(10),
            """
            For one answer, including the connect. A process whose threads are all busy cannot \
            answer, so keep it above the longest time for which that is normal.
            """),
        .integer(
            "rise", \.rise, in: 1...1000,
            """
            Consecutive good answers after which a failed server gets requests again. Processes \
            that Mooring starts are replaced instead.
            """),
        .integer(
            "fall", \.fall, in: 1...1000,
            "Consecutive bad answers after which a server is down, or a process is replaced."),
    ]
}
