package import Backends

/// How it is found out whether a process still answers: the group's `health`.
///
/// A process that is asked occupies one of its threads for the moment of the answer. One whose threads
/// are all busy for longer than `timeout` × `fall` counts as not answering.
package struct HealthPolicy: Sendable, Equatable {
    /// What is asked for: an absolute path, with a query if need be; never empty.
    package var path: String
    /// From one question to the next, ±10 %.
    package var interval: Interval
    /// For one answer, from the attempt to connect on.
    package var timeout: Interval
    /// Bad answers in a row after which a process is unhealthy.
    package var fall: Int

    package init(
        path: String, interval: Interval = .seconds(2), timeout: Interval = .seconds(1),
        fall: Int = 3
    ) {
        self.path = path
        self.interval = interval
        self.timeout = timeout
        self.fall = fall
    }

    /// The whole request; `Connection: close`, since the next one comes much later.
    ///
    /// `localhost` is the name that frameworks which check it accept most readily; an answer with a
    /// 4xx status is an answer all the same.
    var request: [UInt8] {
        Array(
            """
            GET \(path) HTTP/1.1\r
            Host: localhost\r
            User-Agent: mooring-health\r
            Accept: */*\r
            Connection: close\r
            \r

            """.utf8)
    }
}
