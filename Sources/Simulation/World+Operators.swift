internal import Backends

/// Actions of administrators and processes during traffic.
extension World {
    func operate() throws(Violation) {
        guard scenario.policy.kind == .spawned, !isShuttingDown else { return }
        if isRetired {
            if chance.percent("comesBack", 30) { try revive() }
            return
        }
        switch chance.int("operation", in: 0..<10) {
        case ..<3: restart()
        case ..<4: scale()
        case ..<6: recycleOne()
        case ..<7: noteOne()
        case ..<8: drainShortly()
        default:
            if chance.percent("reconfigures", 20) {
                reconfigure()
            } else if chance.percent("retires", 20) {
                history.note(now, "retire for a while")
                isRetired = true
                group.retire(now: now)
            }
        }
        try attend()
    }

    private func restart() {
        history.note(now, "restart")
        _ = group.restart(now: now)
    }

    private func scale() {
        let maximum = chance.int("maximum", in: 1...max(1, scenario.policy.maximum + 1))
        let minimum = chance.int("minimum", in: 0...maximum)
        history.note(now, "scale \(minimum)..\(maximum)")
        group.scale(minimum: minimum, maximum: maximum, now: now)
    }

    private func recycleOne() {
        guard let handle = anyProcess() else { return }
        let reason = chance.pick(
            "reason", [StopReason.maxMemory, .requestTimeout, .unhealthy, .watchdog])
        history.note(now, "recycle \(handle): \(reason)")
        group.recycle(handle, reason: reason, now: now)
    }

    private func noteOne() {
        guard let handle = anyProcess() else { return }
        let note: ProcessNote =
            switch chance.pick("note", ["busy", "idle", "status", "stopping", "extendTimeout"]) {
            case "busy": .busy(true)
            case "idle": .busy(false)
            case "status": .status("at work")
            case "stopping": .stopping
            default: .extendTimeout(.seconds(30))
            }
        history.note(now, "\(handle) notifies \(note)")
        group.noted(handle, note, now: now)
    }

    private func drainShortly() {
        guard let handle = anyProcess() else { return }
        let timeout = Interval.milliseconds(chance.int("timeout", in: 0...5_000))
        history.note(now, "drain \(handle) for \(timeout.seconds) s")
        group.drain(handle, timeout: timeout, now: now)
    }

    /// A request in flight becomes a tunnel, or payload passes in one, or it ends.
    func tunnel() throws(Violation) {
        guard scenario.policy.kind == .spawned, !isShuttingDown else { return }
        if !tunnels.isEmpty, chance.percent("uses", 60) {
            let index = chance.int("tunnel", in: 0..<tunnels.count)
            if chance.percent("ends", 50) { return try endTunnel(index) }
            let grant = tunnels[index].running.grant
            history.note(now, "traffic in a tunnel on \(grant.process)")
            group.tunnelTraffic(grant, now: now)
            shadow.spoke(grant, now: now)
        } else if !running.isEmpty {
            let index = chance.int("request", in: 0..<running.count)
            let request = running.remove(at: index)
            history.note(now, "tunnel begins on \(request.grant.process)")
            summary.tunnels += 1
            let holds = group.beginTunnel(request.grant, now: now)
            shadow.tunnels(request.grant.process, 1)
            if !holds { shadow.finished(request.grant, isAnswered: true, now: now) }
            tunnels.append((request, holds))
        }
        try attend()
    }

    func endTunnel(_ index: Int) throws(Violation) {
        let tunnel = tunnels.remove(at: index)
        history.note(now, "tunnel ends on \(tunnel.running.grant.process)")
        shadow.tunnels(tunnel.running.grant.process, -1)
        if tunnel.heldSlot { shadow.finished(tunnel.running.grant, isAnswered: true, now: now) }
        group.endTunnel(tunnel.running.grant, .served, heldSlot: tunnel.heldSlot, now: now)
        try attend()
    }

    /// The configuration has changed.
    private func reconfigure() {
        scenario.policy = Scenario.change(scenario.policy, chance)
        let isNew = chance.percent("isNew", 50)
        history.note(now, "reconfigure\(isNew ? ", a new generation" : "")")
        shadow.policy = scenario.policy
        shadow.rescaled(minimum: scenario.policy.minimum, maximum: scenario.policy.maximum)
        group.reconfigure(scenario.policy, newGeneration: isNew, now: now)
    }

    /// The configuration has the group again, possibly changed.
    func revive() throws(Violation) {
        if chance.percent("changes", 50) {
            scenario.policy = Scenario.change(scenario.policy, chance)
        }
        let isNew = chance.percent("isNew", 30)
        history.note(now, "revive\(isNew ? ", a new generation" : "")")
        isRetired = false
        shadow.policy = scenario.policy
        shadow.rescaled(minimum: scenario.policy.minimum, maximum: scenario.policy.maximum)
        group.revive(scenario.policy, newGeneration: isNew, now: now)
        try attend()
    }

    private func anyProcess() -> ProcessHandle? {
        chance.element("process", of: group.snapshot(now: now).processes.map(\.handle))
    }
}
