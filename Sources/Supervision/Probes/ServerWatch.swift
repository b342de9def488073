internal import Backends
internal import Logging
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

    /// Nil when its address cannot be connected to, which requests find out as well.
    init?(_ server: CheckedServer, group: Int, now: Int64) {
        self.group = group
        self.server = server
        let health = server.health
        policy = HealthPolicy(
            path: health.path, interval: health.interval, timeout: health.timeout,
            fall: health.fall)
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
        case answered(isWell: Bool)
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
            return fail(now: now)
        }
    }

    private mutating func settle(_ verdict: HealthCheck.Verdict?, now: Int64) -> Outcome {
        if check?.hasEnded ?? true { check = nil }
        switch verdict {
        case nil: return .nothing
        case .healthy: return .answered(isWell: true)
        case .unhealthy: return fail(now: now)
        }
    }

    private mutating func fail(now: Int64) -> Outcome {
        current += 1
        guard current < addresses.count else { return .answered(isWell: false) }
        check?.close()
        return ask(now: now)
    }
}

extension SupervisionLoop {
    /// Begins to ask the servers that are to be asked, and leaves the others alone.
    func watchServers() {
        if hasLeft { return }
        let now = Clock.monotonic()
        let wanted = groups.enumerated().flatMap { index, group in
            group.checkedServers.map { (group: index, server: $0) }
        }
        for (id, watch) in serverWatches
        where !wanted.contains(where: { $0.group == watch.group && $0.server == watch.server }) {
            serverWatches[id]?.end()
            serverWatches[id] = nil
        }
        for (group, server) in wanted
        where !serverWatches.values.contains(where: { $0.group == group && $0.server == server }) {
            lastID += 1
            serverWatches[lastID] = ServerWatch(server, group: group, now: now)
        }
    }

    var nextServerCheck: Int64? { serverWatches.values.map(\.nextDeadline).min() }

    func askServersIfDue(now: Int64) {
        guard let next = nextServerCheck, next <= now else { return }
        for id in Array(serverWatches.keys) {
            guard let outcome = serverWatches[id]?.advance(now: now, jitter: jitter()) else {
                continue
            }
            follow(outcome, ofServer: id)
        }
    }

    func serverReported(_ id: UInt64) {
        guard
            let outcome = serverWatches[id]?.connectionReported(
                now: Clock.monotonic(), scratch: &scratch)
        else { return }
        follow(outcome, ofServer: id)
    }

    /// For another balancer, which asks them itself.
    func leaveServers() {
        for id in serverWatches.keys { serverWatches[id]?.end() }
        serverWatches = [:]
    }

    private func follow(_ outcome: ServerWatch.Outcome, ofServer id: UInt64) {
        guard let watch = serverWatches[id] else { return }
        switch outcome {
        case .nothing: break
        case .unable(let error): tellOfScarcity(error)
        case .answered(let isWell):
            groups[watch.group].checked(watch.server.process, isWell: isWell, now: now())
        case .asks:
            guard let check = watch.check else { return }
            do {
                try loop.add(check.descriptor, token: Source.server.token(id), writable: true)
            } catch {
                serverWatches[id]?.end()
                tellOfScarcity(error)
            }
        }
    }
}
