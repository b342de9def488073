/// How processes and external servers are asked whether they are well (`health`).
///
/// A process that is asked occupies one of its threads for the moment of the answer. One whose threads
/// are all busy for longer than `timeout` × `fall` counts as not answering.
package struct HealthPolicy: Equatable, Sendable {
    /// What is asked for: an absolute path, with a query if need be; never empty.
    package var path: String
    /// From one question to the next, ±10 %.
    package var interval = Interval.seconds(2)
    /// For one answer, from the attempt to connect on.
    package var timeout = Interval.seconds(1)
    /// Good answers in a row after which a server that was down counts as well again; a process of
    /// Mooring's own is replaced instead.
    package var rise = 2
    /// Bad answers in a row after which a process or server counts as ill.
    package var fall = 3

    package init(path: String) { self.path = path }

    /// The path by which requests of others are known as health checks; nil: they cannot be, for `/`
    /// is a page.
    package var pathOfChecks: String? {
        let path = path.prefix { $0 != "?" }
        return path == "/" ? nil : String(path)
    }
}

extension HealthPolicy {
    /// The keys of `health` besides `path`, without which there is none.
    package static let keys: [Key<HealthPolicy>] = [
        .duration(
            "interval", \.interval, atLeast: .milliseconds(50),
            "From one question to the next, give or take a tenth."),
        .duration(
            "timeout", \.timeout, atLeast: .milliseconds(10),
            """
            For one answer, from the attempt to connect. A process whose threads are all \
            busy cannot answer: keep it above the longest time that this is normal.
            """),
        .integer(
            "rise", \.rise, in: 1...1000,
            """
            Good answers in a row after which a server that was down gets requests again. \
            Processes that Mooring starts are replaced instead.
            """),
        .integer(
            "fall", \.fall, in: 1...1000,
            "Bad answers in a row after which a server is down, or a process is replaced."),
    ]
}
