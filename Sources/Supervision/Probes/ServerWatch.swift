internal import Backends
internal import Reactor

/// Periodic health checks of an external server.
struct ServerWatch {
    let group: Int
    let server: CheckedServer
    /// More than one if it may listen on either (`localhost`).
    private let addresses: [SocketAddress]
    private let policy: HealthPolicy
    private var current = 0
    private(set) var check: HealthCheck?
    private var startAt: Int64
    private var secure: SecureServer?
    /// The response was 404.
    private(set) var foundNothing = false
    /// The last answer was bad, and was logged.
    private var isObjectedTo = false

    /// Nil when its address cannot be connected to, which requests discover as well.
    init?(_ server: CheckedServer, group: Int, now: Int64) {
        self.group = group
        self.server = server
        policy = server.health
        do {
            if case .tcp(ProcessAddress.localhost, let port) = server.address {
                addresses = [try .tcp("127.0.0.1", port), try .tcp("::1", port)]
            } else {
                addresses = [try server.address.socketAddress()]
            }
        } catch {
            return nil
        }
        startAt = now
    }

    var nextDeadline: Int64 { check?.deadline ?? startAt }

    /// The consequence of a step.
    enum Outcome {
        case nothing
        /// Register the new check.
        case asks
        /// - Parameters:
        ///   - objection: the problem, in words; nil: none.
        ///   - isNews: whether the previous answer was good.
        case answered(CheckResult, objection: String?, isNews: Bool)
        case unable(SystemError)
    }

    /// Starts a check, or times one out, if it is due.
    ///
    /// - Parameters:
    ///   - jitter: from -1 to 1, moves the next check by a tenth of the interval.
    ///   - secure: how TLS is spoken to it; nil: clear text.
    mutating func advance(now: Int64, jitter: Double, secure: SecureServer?) -> Outcome {
        self.secure = secure
        if var asked = check {
            guard asked.deadline <= now else { return .nothing }
            let verdict = asked.timeOut()
            check = asked
            return settle(verdict, now: now)
        }
        guard startAt <= now else { return .nothing }
        if server.securePlace != nil, secure == nil {
            // Its settings follow in a moment.
            startAt = now + 50_000_000
            return .nothing
        }
        current = 0
        let interval = policy.interval.nanoseconds
        startAt = now + interval + Int64(Double(interval) * 0.1 * max(-1, min(jitter, 1)))
        return ask(now: now)
    }

    /// The connection of the check has an event.
    mutating func connectionReported(now: Int64, scratch: inout [UInt8]) -> Outcome {
        guard var asked = check else { return .nothing }
        let verdict = asked.advance(scratch: &scratch)
        foundNothing = asked.foundNothing
        check = asked
        return settle(verdict, now: now)
    }

    /// Stops the checks; repeated calls are harmless.
    mutating func end() {
        check?.close()
        check = nil
    }

    private mutating func ask(now: Int64) -> Outcome {
        do {
            check = try HealthCheck(
                addresses[current], user: nil, secure: secure, policy,
                deadline: now + policy.timeout.nanoseconds)
            return .asks
        } catch {
            if error.isScarcity, current == 0 { return .unable(error) }
            return fail(SystemError.message(error.errno), now: now)
        }
    }

    private mutating func settle(_ verdict: HealthCheck.Verdict?, now: Int64) -> Outcome {
        if check?.hasEnded ?? true { check = nil }
        switch verdict {
        case nil: return .nothing
        case .healthy: return answered(.well, nil)
        case .unwell(let reason): return answered(.unwell, reason)
        case .silent(let reason): return fail(reason, now: now)
        }
    }

    private mutating func answered(_ result: CheckResult, _ objection: String?) -> Outcome {
        defer { isObjectedTo = objection != nil }
        return .answered(
            result, objection: objection, isNews: objection != nil && !isObjectedTo)
    }

    private mutating func fail(_ reason: String, now: Int64) -> Outcome {
        current += 1
        guard current < addresses.count else { return answered(.silent, reason) }
        check?.close()
        return ask(now: now)
    }
}
