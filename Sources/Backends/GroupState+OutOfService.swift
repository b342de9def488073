/// Servers out of service: they drain, or an administrator has taken them out.
extension GroupState {
    /// A server that drains has lost its last session, or its time is over.
    mutating func endDraining(of entry: UInt32) {
        guard case .draining(let reason) = processes[Int(entry)].phase else { return }
        switch reason {
        // It waits for its checks.
        case .unhealthy: return
        case .removed: remove(entry)
        case .idle, .startTimeout, .unreachable, .shutdown, .drained, .exited, .maxRequests,
            .maxAge, .maxMemory, .watchdog, .requestTimeout, .rollout, .scaledDown, .command,
            .notify, .drainTimeout, .makeRoom, .retired:
            leaveService(entry)
        }
    }

    mutating func drainServer(_ entry: UInt32, timeout: Interval?) {
        processes[Int(entry)].server.isOut = true
        switch processes[Int(entry)].phase {
        case .draining(.removed): break
        case .ready, .draining:
            if case .draining(.unhealthy) = processes[Int(entry)].phase { beServing(entry) }
            takeOut(entry, .drained, timeout: timeout)
        case .down: leaveService(entry)
        case .starting, .stopping, .gone: break
        }
        rememberServers()
    }

    mutating func stopServer(_ entry: UInt32) {
        processes[Int(entry)].server.isOut = true
        switch processes[Int(entry)].phase {
        case .draining(.removed): remove(entry)
        case .ready, .draining, .down: leaveService(entry)
        case .starting, .stopping, .gone: break
        }
        rememberServers()
    }

    /// It stays out until an administrator has it back.
    mutating func leaveService(_ entry: UInt32) {
        if processes[Int(entry)].standing == .serving { move(entry, to: .outgoing) }
        let until = now + Self.longestInterval
        processes[Int(entry)].server.probation = nil
        processes[Int(entry)].server.slowStart = nil
        processes[Int(entry)].share = SlowStart.whole
        processes[Int(entry)].drainUntil = nil
        if case .down = processes[Int(entry)].phase {
            processes[Int(entry)].phase = .down(until: until)
            touch(entry)
        } else {
            _ = apply(.refused(until: until), to: entry)
        }
        orders.events.append(.out(handle(entry)))
    }

    /// Puts a server back into service that an administrator has taken out, or that is down.
    mutating func bringBack(_ handle: ProcessHandle) {
        guard !isSpawned, let entry = find(handle) else { return }
        let index = Int(entry)
        let wasOut = processes[index].server.isOut
        processes[index].server.isOut = false
        processes[index].server.badChecks = 0
        processes[index].server.silentChecks = 0
        switch processes[index].phase {
        case .draining(.drained):
            beServing(entry)
            orders.events.append(.reinstated(handle))
        case .down:
            if processes[index].standing != .serving { move(entry, to: .serving) }
            comeBack(entry)
            orders.events.append(.reinstated(handle))
        case .starting, .ready, .draining, .stopping, .gone: break
        }
        if wasOut { rememberServers() }
    }

    /// Has those recorded that an administrator has taken out.
    private mutating func rememberServers() {
        let out = processes.filter { !$0.phase.isGone && $0.server.isOut }
            .map { OutOfService(label: $0.label, isDraining: $0.phase.serves) }
        orders.supervision.append(.rememberServers(out + awaitedOut))
    }

    /// Takes out those that an administrator had taken out before a restart.
    mutating func takeOutAgain(_ servers: [OutOfService]) {
        guard !isSpawned else { return }
        awaitedOut = servers
        for index in processes.indices where !processes[index].phase.isGone {
            takeOutIfKnown(UInt32(index))
        }
    }

    /// Takes out a server that was out before a restart; one of a name is known once the name has been
    /// looked up.
    mutating func takeOutIfKnown(_ entry: UInt32) {
        let index = Int(entry)
        guard let known = awaitedOut.firstIndex(where: { $0.label == processes[index].label })
        else { return }
        let record = awaitedOut.remove(at: known)
        processes[index].server.isOut = true
        guard record.isDraining else { return leaveService(entry) }
        // Its sessions are on no record: their clients have the idle time to return.
        processes[index].keepUntil = now + idleOfReturning(to: entry)
        takeOut(entry, .drained)
    }
}

/// A server that an administrator has taken out of service.
package struct OutOfService: Equatable, Sendable {
    package var label: String
    /// It keeps its sessions until they end.
    package var isDraining: Bool

    package init(label: String, isDraining: Bool) {
        self.label = label
        self.isDraining = isDraining
    }
}
