/// A server that is to be asked.
package struct CheckedServer: Equatable, Sendable {
    package var process: ProcessHandle
    package var address: ProcessAddress
    package var health: HealthPolicy
}

/// What their health checks say of external servers.
extension GroupState {
    /// Those that are to be asked now; one behind TLS is judged by its requests alone.
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

    /// Seconds until the checks can have brought the first server back; nil: they bring none.
    var checkedServersAreBackIn: Int? {
        guard let health = policy.health,
            let good = processes.indices.filter({ isChecked(UInt32($0)) })
                .map({ processes[$0].goodChecks }).max()
        else { return nil }
        let seconds = Double(max(1, health.rise - good)) * health.interval.seconds
        return Int(max(1, min(seconds.rounded(.up), 60)))
    }

    /// Whether a server's health checks tell when it is back.
    func isChecked(_ entry: UInt32) -> Bool {
        guard policy.health != nil, case .external(let servers) = policy.kind,
            servers.indices.contains(Int(entry))
        else { return false }
        return servers[Int(entry)].tls == nil
    }

    /// A server has answered its health check well, or badly, or not at all.
    mutating func checked(
        _ handle: ProcessHandle, isWell: Bool
    ) {
        guard !isSpawned, let health = policy.health, let entry = find(handle) else { return }
        let index = Int(entry)
        processes[index].goodChecks = isWell ? processes[index].goodChecks + 1 : 0
        processes[index].badChecks = isWell ? 0 : processes[index].badChecks + 1
        if case .down = processes[index].phase {
            if processes[index].goodChecks >= health.rise { return bringUp(entry) }
            // Its time runs out only when nobody asks it any more.
            processes[index].phase = .down(until: now + outage(under: health))
            touch(entry)
        } else if processes[index].badChecks >= health.fall {
            takeDown(entry)
        }
    }

    /// How long a server that is asked is out unless its checks say otherwise.
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
