package import Backends

/// The time that a process has for a request (`request_timeout`).
///
/// It is paused while the process waits for the client, which is not the process's fault. Times are
/// monotonic, in nanoseconds.
package enum RequestClock: Equatable, Sendable {
    /// The group has no `request_timeout`, or a tunnel has begun.
    case unlimited
    case running(until: Int64)
    /// Paused since the given time.
    case paused(until: Int64, since: Int64)

    /// Starts with the grant of a slot; nil: without a limit.
    package init(limit: Interval?, now: Int64) {
        if let limit {
            self = .running(until: now &+ limit.nanoseconds)
        } else {
            self = .unlimited
        }
    }

    /// The process waits for the client: pauses.
    @inline(__always)
    package mutating func pause(now: Int64) {
        guard case .running(let until) = self else { return }
        self = .paused(until: until, since: now)
    }

    /// The process no longer waits for the client: resumes.
    @inline(__always)
    package mutating func resume(now: Int64) {
        guard case .paused(let until, let since) = self else { return }
        self = .running(until: until &+ (now &- since))
    }

    /// When the time is over if it runs from now on; `Int64.max`: never.
    package var deadline: Int64 {
        switch self {
        case .unlimited: .max
        case .running(let until), .paused(let until, _): until
        }
    }

    /// The earlier of a deadline and the end of the time, unless paused.
    @inline(__always)
    package func limit(_ deadline: Int64) -> Int64 {
        guard case .running(let until) = self else { return deadline }
        return min(deadline, until)
    }
}
