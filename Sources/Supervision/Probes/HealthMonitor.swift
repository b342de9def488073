internal import Backends
internal import Reactor

/// Schedules health checks of a process and evaluates their results.
///
/// A starting process is checked until the first good answer, which makes it ready; a running one
/// every `interval`, until `fall` consecutive bad answers. Times are monotonic nanoseconds.
struct HealthMonitor {
    /// The consequence of an answer.
    enum Outcome: Equatable, Sendable {
        case nothing
        case ready
        /// The first bad answer during the start, for the log; checks continue.
        case notYet(String)
        /// The last of `fall` bad answers, with the problem.
        ///
        /// Reported once; then checks stop.
        case unhealthy(String)
        /// The check failed for lack of local resources, which does not indicate the process's
        /// health.
        case unable(SystemError)
    }

    private enum Mode {
        /// Checked at growing intervals until it answers well.
        ///
        /// To: running, over.
        case starting(delay: Int64)
        /// `failures` consecutive bad answers so far.
        ///
        /// To: over.
        case running(failures: Int)
        /// Unhealthy, or ordered to stop.
        ///
        /// Final.
        case over
    }

    private static let firstDelay: Int64 = 20_000_000
    private static let lastDelay: Int64 = 1_000_000_000

    let policy: HealthPolicy
    private var address: SocketAddress
    private let user: UInt32?
    private var mode: Mode
    private(set) var check: HealthCheck?
    /// The problem with the last answer during the start.
    private(set) var objection: String?
    /// The response was 404.
    private(set) var foundNothing = false
    private var nextStart: Int64?
    private var askedAt: Int64 = 0

    /// - Parameter isReady: whether it serves already; otherwise the first good answer is awaited,
    ///   from `begin` on.
    init(
        _ policy: HealthPolicy, address: SocketAddress, user: UInt32?, isReady: Bool, now: Int64
    ) {
        self.policy = policy
        self.address = address
        self.user = user
        mode = isReady ? .running(failures: 0) : .starting(delay: Self.firstDelay)
        nextStart = isReady ? now + policy.interval.nanoseconds : nil
    }

    /// When the next action is due without an event.
    var nextDeadline: Int64? { check?.deadline ?? nextStart }

    /// Whether it has not answered well yet.
    var isStarting: Bool { if case .starting = mode { true } else { false } }

    /// The process accepts connections at an address: checks start there now.
    mutating func begin(at address: ProcessAddress, now: Int64) {
        guard case .starting = mode else { return }
        if let address = try? address.socketAddress() { self.address = address }
        nextStart = now
    }

    /// The process has declared itself ready, and is checked from now on.
    mutating func becameReady(at address: ProcessAddress, now: Int64) {
        if let address = try? address.socketAddress() { self.address = address }
        guard case .starting = mode else { return }
        mode = .running(failures: 0)
        if check == nil { nextStart = now + policy.interval.nanoseconds }
    }

    /// Stops the checks; repeated calls are harmless.
    mutating func end() {
        check?.close()
        check = nil
        nextStart = nil
        mode = .over
    }

    /// Starts a check or times one out, if it is due.
    ///
    /// - Parameter jitter: from -1 to 1, moves the next check by a tenth of the interval.
    /// - Returns: the outcome; if a check has begun, register `check` with the loop.
    mutating func advance(now: Int64, jitter: Double) -> (Outcome, hasBegun: Bool) {
        if var current = check {
            guard current.deadline <= now else { return (.nothing, false) }
            let verdict = current.timeOut()
            check = current
            return (settle(verdict, now: now, jitter: jitter), false)
        }
        guard let time = nextStart, time <= now else { return (.nothing, false) }
        askedAt = now
        nextStart = nil
        do {
            check = try HealthCheck(
                address, user: user, policy, deadline: now + policy.timeout.nanoseconds)
            return (.nothing, true)
        } catch {
            guard !error.isScarcity else {
                planNext(now: now, jitter: jitter)
                return (.unable(error), false)
            }
            return (settle(.silent("\(error)"), now: now, jitter: jitter), false)
        }
    }

    /// The check just begun cannot be watched; it does not count.
    mutating func withdraw(now: Int64, jitter: Double) {
        check?.close()
        check = nil
        planNext(now: now, jitter: jitter)
    }

    /// The connection of the check has an event.
    mutating func connectionReported(
        now: Int64, jitter: Double, scratch: inout [UInt8]
    ) -> Outcome {
        guard var current = check else { return .nothing }
        let verdict = current.advance(scratch: &scratch)
        foundNothing = current.foundNothing
        check = current
        return settle(verdict, now: now, jitter: jitter)
    }

    private mutating func settle(
        _ verdict: HealthCheck.Verdict?, now: Int64, jitter: Double
    ) -> Outcome {
        let outcome = verdict.map { judge($0) } ?? .nothing
        if check?.hasEnded ?? true {
            check = nil
            planNext(now: now, jitter: jitter)
        }
        return outcome
    }

    private mutating func judge(_ verdict: HealthCheck.Verdict) -> Outcome {
        switch (mode, verdict) {
        case (.starting, .healthy):
            mode = .running(failures: 0)
            return .ready
        case (.starting(let delay), .unwell(let reason)),
            (.starting(let delay), .silent(let reason)):
            mode = .starting(delay: min(delay + delay / 2, Self.lastDelay))
            objection = reason
            return delay == Self.firstDelay ? .notYet(reason) : .nothing
        case (.running, .healthy):
            mode = .running(failures: 0)
            return .nothing
        case (.running(let failures), .unwell(let reason)),
            (.running(let failures), .silent(let reason)):
            if failures + 1 >= policy.fall {
                end()
                return .unhealthy(reason)
            }
            mode = .running(failures: failures + 1)
            return .nothing
        // It was ordered to stop during the check.
        case (.over, .healthy), (.over, .unwell), (.over, .silent):
            return .nothing
        }
    }

    private mutating func planNext(now: Int64, jitter: Double) {
        switch mode {
        case .starting(let delay): nextStart = now + delay
        case .running:
            let interval = policy.interval.nanoseconds
            let shift = Int64(Double(interval) * 0.1 * max(-1, min(jitter, 1)))
            nextStart = max(askedAt + interval + shift, now)
        case .over: nextStart = nil
        }
    }
}
