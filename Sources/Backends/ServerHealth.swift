/// A server to check.
package struct CheckedServer: Equatable, Sendable {
    package var process: ProcessHandle
    package var address: ProcessAddress
    package var health: HealthPolicy
}

/// Health checks of external servers.
extension GroupState {
    /// The servers to check now; one behind TLS is judged by its requests alone.
    var checkedServers: [CheckedServer] {
        guard case .external(let servers) = policy.kind, let health = policy.health, !isRetired,
            !isShuttingDown
        else { return [] }
        return zip(processes.indices, servers).compactMap { index, server in
            if server.tls != nil { return nil }
            return CheckedServer(
                process: handle(UInt32(index)), address: server.address, health: health)
        }
    }

    /// Seconds until the checks can have brought the first server back; nil: they cannot.
    var checkedServersAreBackIn: Int? {
        guard let health = policy.health,
            let good = processes.indices.filter({ isChecked(UInt32($0)) })
                .map({ processes[$0].goodChecks }).max()
        else { return nil }
        let seconds = Double(max(1, health.rise - good)) * health.interval.seconds
        return Int(max(1, min(seconds.rounded(.up), 60)))
    }

    /// Whether health checks determine when a server returns.
    func isChecked(_ entry: UInt32) -> Bool {
        guard policy.health != nil, case .external(let servers) = policy.kind,
            servers.indices.contains(Int(entry))
        else { return false }
        return servers[Int(entry)].tls == nil
    }

    /// The result of a server's health check; no answer counts as bad.
    mutating func checked(
        _ handle: ProcessHandle, isWell: Bool
    ) {
        guard !isSpawned, let health = policy.health, let entry = find(handle) else { return }
        let index = Int(entry)
        processes[index].goodChecks = isWell ? processes[index].goodChecks + 1 : 0
        processes[index].badChecks = isWell ? 0 : processes[index].badChecks + 1
        if case .down = processes[index].phase {
            if processes[index].goodChecks >= health.rise { return bringUp(entry) }
            // Only matters if the checks stop: then the server returns by this time-out.
            processes[index].phase = .down(until: now + outage(under: health))
            touch(entry)
        } else if processes[index].badChecks >= health.fall {
            takeDown(entry)
        }
    }

    /// How long a checked server is out of service if its checks do not decide earlier.
    func outage(under health: HealthPolicy) -> Interval {
        let (several, overflow) = health.interval.nanoseconds
            .multipliedReportingOverflow(by: Int64(health.rise) + 1)
        let longest = Int64.max / 4
        return max(.seconds(60), Interval(nanoseconds: overflow ? longest : min(several, longest)))
    }

    private mutating func bringUp(_ entry: UInt32) {
        guard apply(.outageOver, to: entry) == .isReady else { return }
        processes[Int(entry)].outages = 0
        processes[Int(entry)].failuresInARow = 0
        orders.events.append(.answering(handle(entry)))
        prepare(entry)
    }
}
