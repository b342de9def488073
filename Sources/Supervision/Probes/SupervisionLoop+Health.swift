internal import Backends
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Starts a process's health check, or times one out, if it is due.
    func checkHealthIfDue(_ process: ManagedProcess, now: Int64) {
        guard let next = process.health?.nextDeadline, next <= now, process.isUncollected,
            !hasLostItsPort(process),
            let (outcome, hasBegun) = process.health?.advance(now: now, jitter: jitter())
        else { return }
        follow(outcome, process)
        guard hasBegun, let check = process.health?.check else { return }
        do {
            try loop.add(
                check.descriptor, token: EventSource.health.token(process.id), writable: true)
        } catch {
            // The kernel is short of memory, or of watches for this user.
            process.health?.withdraw(now: now, jitter: jitter())
            logScarcity(error)
        }
    }

    /// Whether another program listens where a process has served: its checks stop.
    private func hasLostItsPort(_ process: ManagedProcess) -> Bool {
        guard case .running = process.phase, process.health?.check == nil,
            case .foreign(let user) = portHolder(of: process)
        else { return false }
        process.health?.end()
        let objection = PortHolder.objection(to: process.address, heldBy: user)
        log.about(process).warning("process \(process.label) is recycled: \(objection)")
        groups[process.key.group].recycle(process.key.handle, reason: .unhealthy, now: now())
        return true
    }

    /// The connection of a check has an event.
    func advanceHealth(of process: ManagedProcess) {
        guard
            let outcome = process.health?.connectionReported(
                now: Clock.monotonic(), jitter: jitter(), scratch: &output.scratch)
        else { return }
        if let health = process.health, health.foundNothing {
            logMissingPath(
                health.policy.path, group: process.key.group, "process \(process.label)")
        }
        follow(outcome, process)
    }

    /// A missing path would hide every failure; logged once per group.
    func logMissingPath(_ path: String, group: Int, _ subject: String) {
        guard probes.isNews(missingPath: path, group: group) else { return }
        log.about(group: groups[group].name).warning(
            """
            \(subject) answers 404 at health.path \(path), which counts as healthy but shows only that \
            it answers; name a path that the application has
            """)
    }

    private func follow(_ outcome: HealthMonitor.Outcome, _ process: ManagedProcess) {
        switch outcome {
        case .nothing: break
        case .unable(let error): logScarcity(error)
        case .ready: becomeHealthy(process)
        case .notYet(let reason):
            log.about(process).notice(
                "process \(process.label) accepts connections, but is not healthy yet: \(reason)")
        case .unhealthy(let reason):
            let count = process.health?.policy.fall ?? 0
            log.about(process).warning(
                """
                process \(process.label) is recycled: \(count) health checks in a row failed, \
                the last with: \(reason)
                """)
            groups[process.key.group].recycle(process.key.handle, reason: .unhealthy, now: now())
        }
    }

    /// From -1 to 1.
    func jitter() -> Double {
        Double(Int64(bitPattern: entropy.word()) >> 11) / Double(1 << 52)
    }
}
