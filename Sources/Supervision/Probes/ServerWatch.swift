internal import Backends
internal import Reactor

/// An external server that is asked, from time to time, whether it is well.
struct ServerWatch {
    let group: Int
    let server: CheckedServer
    /// More than one where it may listen at either (`localhost`).
    private let addresses: [SocketAddress]
    private let policy: HealthPolicy
    private var current = 0
    private(set) var check: HealthCheck?
    private var startAt: Int64
    /// There is nothing at the path that is asked for.
    private(set) var foundNothing = false
    /// The last answer was bad, and the log has it.
    private var isObjectedTo = false

    /// Nil when its address cannot be connected to, which requests find out as well.
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

    /// What a step leads to.
    enum Outcome {
        case nothing
        /// Register the new check.
        case asks
        /// - Parameters:
        ///   - objection: what was wrong, in words; nil: nothing.
        ///   - isNews: the answer before was good.
        case answered(objection: String?, isNews: Bool)
        case unable(SystemError)
    }

    /// Asks, or gives an answer up, if it is time to.
    ///
    /// - Parameter jitter: from -1 to 1, moves the next question by a tenth of the interval.
    mutating func advance(now: Int64, jitter: Double) -> Outcome {
        if var asked = check {
            guard asked.deadline <= now else { return .nothing }
            let verdict = asked.timeOut()
            check = asked
            return settle(verdict, now: now)
        }
        guard startAt <= now else { return .nothing }
        current = 0
        let interval = policy.interval.nanoseconds
        startAt = now + interval + Int64(Double(interval) * 0.1 * max(-1, min(jitter, 1)))
        return ask(now: now)
    }

    /// The connection of the question has news.
    mutating func connectionReported(now: Int64, scratch: inout [UInt8]) -> Outcome {
        guard var asked = check else { return .nothing }
        let verdict = asked.advance(scratch: &scratch)
        foundNothing = asked.foundNothing
        check = asked
        return settle(verdict, now: now)
    }

    /// Nothing is asked any more; harmless when repeated.
    mutating func end() {
        check?.close()
        check = nil
    }

    private mutating func ask(now: Int64) -> Outcome {
        do {
            check = try HealthCheck(
                addresses[current], user: nil, request: policy.request,
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
        case .healthy: return answered(nil)
        case .unhealthy(let reason): return fail(reason, now: now)
        }
    }

    private mutating func answered(_ objection: String?) -> Outcome {
        defer { isObjectedTo = objection != nil }
        return .answered(objection: objection, isNews: objection != nil && !isObjectedTo)
    }

    private mutating func fail(_ reason: String, now: Int64) -> Outcome {
        current += 1
        guard current < addresses.count else { return answered(reason) }
        check?.close()
        return ask(now: now)
    }
}
