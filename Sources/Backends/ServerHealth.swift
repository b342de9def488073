/// A server to check.
package struct CheckedServer: Equatable, Sendable {
    package var process: ProcessHandle
    package var address: ProcessAddress
    package var health: HealthPolicy
    /// Its address as configured, if it speaks TLS; nil: clear text.
    package var securePlace: ProcessAddress?
}

/// What a health check of a server has shown.
package enum CheckResult: Equatable, Sendable {
    case well
    /// It answers, but not as it should.
    case unwell
    /// It cannot be reached, or does not answer in time, or not in its protocol.
    case silent
}

/// Health checks of external servers.
///
/// A server that fails them gets no new sessions. Its own stay while it answers them: they move when
/// neither its checks nor its requests are answered.
extension GroupState {
    /// The servers to check now.
    var checkedServers: [CheckedServer] {
        guard !isSpawned, let health = policy.health, !isRetired, !isShuttingDown else { return [] }
        return processes.indices.compactMap { index in
            guard !processes[index].phase.isGone, let server = endpoints[UInt32(index)],
                let address = processes[index].address
            else { return nil }
            return CheckedServer(
                process: handle(UInt32(index)), address: address, health: health,
                securePlace: server.tls.map { _ in server.place })
        }
    }

    /// Seconds until the checks can have brought the first server back; nil: they cannot.
    var checkedServersAreBackIn: Int? {
        guard let health = policy.health,
            let good = processes.indices.filter({ isChecked(UInt32($0)) })
                .map({ processes[$0].server.goodChecks }).max()
        else { return nil }
        let seconds = Double(max(1, health.rise - good)) * health.interval.seconds
        return Int(max(1, min(seconds.rounded(.up), 60)))
    }

    /// Whether health checks determine when a server returns.
    func isChecked(_ entry: UInt32) -> Bool {
        policy.health != nil && !isSpawned
    }

    /// The result of a server's health check.
    mutating func checked(_ handle: ProcessHandle, _ result: CheckResult) {
        guard !isSpawned, let health = policy.health, let entry = find(handle) else { return }
        note(result, of: entry)
        let server = processes[Int(entry)].server
        // It returns when an administrator says so.
        if server.isOut { return }
        let isWell = server.goodChecks >= health.rise
        let isFailing = server.badChecks >= health.fall
        switch processes[Int(entry)].phase {
        case .down:
            if isWell {
                comeBack(entry)
                orders.events.append(.answering(handle))
            } else {
                // Only matters if the checks stop: then the server returns by this time-out.
                processes[Int(entry)].phase = .down(until: now + outage(under: health))
                touch(entry)
            }
        case .ready:
            if !isFailing { return }
            if isGone(entry, health) { return takeDown(entry) }
            _ = apply(.drain(.unhealthy), to: entry)
            orders.events.append(.draining(handle, .unhealthy))
        case .draining(.unhealthy):
            if isWell {
                guard apply(.reinstate, to: entry) == .isReady else { return }
                prepare(entry)
                beginSlowStart(of: entry)
                orders.events.append(.answering(handle))
            } else if isFailing, isGone(entry, health) {
                takeDown(entry)
            }
        case .starting, .draining, .stopping, .gone: break
        }
    }

    private mutating func note(_ result: CheckResult, of entry: UInt32) {
        let index = Int(entry)
        switch result {
        case .well:
            processes[index].server.goodChecks += 1
            processes[index].server.badChecks = 0
            processes[index].server.silentChecks = 0
        case .unwell, .silent:
            processes[index].server.goodChecks = 0
            processes[index].server.badChecks += 1
            processes[index].server.failedChecksTotal += 1
            let isSilent = result == .silent
            if isSilent, processes[index].server.silentChecks == 0 {
                processes[index].server.silentSince = now
            }
            processes[index].server.silentChecks =
                isSilent ? processes[index].server.silentChecks + 1 : 0
        }
    }

    /// Whether it answers neither checks nor requests.
    private func isGone(_ entry: UInt32, _ health: HealthPolicy) -> Bool {
        let server = processes[Int(entry)].server
        return server.silentChecks >= health.fall && server.answeredAt < server.silentSince
    }

    /// How long a checked server is out of service if its checks do not decide earlier.
    func outage(under health: HealthPolicy) -> Interval {
        let (several, overflow) = health.interval.nanoseconds
            .multipliedReportingOverflow(by: Int64(health.rise) + 1)
        let longest = Int64.max / 4
        return max(.seconds(60), Interval(nanoseconds: overflow ? longest : min(several, longest)))
    }
}
