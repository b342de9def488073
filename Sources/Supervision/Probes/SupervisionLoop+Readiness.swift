internal import Backends
internal import Glibc
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Tries to connect to a starting process if it is due.
    func probeIfDue(_ process: ManagedProcess, now: Int64) {
        guard case .starting(var probe) = process.phase, let next = probe.nextAttempt, next <= now
        else { return }
        let outcome = probe.attempt(now: now)
        process.phase = .starting(probe)
        follow(outcome, process)
    }

    /// A pending connection was established or refused.
    func settleConnection(of process: ManagedProcess) {
        guard case .starting(var probe) = process.phase else { return }
        let outcome = probe.settle(now: Clock.monotonic())
        process.phase = .starting(probe)
        follow(outcome, process)
    }

    /// The process has sent READY=1; harmless when it is known to be ready.
    func becomeReady(_ process: ManagedProcess) {
        // A process that sends notifications has executed its program.
        settleExec(process.id)
        guard case .starting(var probe) = process.phase else { return }
        // The health path shows the state of its application.
        process.hasSentReady = !process.sendsReadyEarly || process.health == nil
        // A socket is the process's own in any case; a port must be checked.
        if probe.endpoint.port == nil, process.hasSentReady { return enterService(process) }
        let outcome = probe.attempt(now: Clock.monotonic())
        process.phase = .starting(probe)
        follow(outcome, process)
    }

    /// It answers well, at the address where it was found; harmless when that is known.
    func becomeHealthy(_ process: ManagedProcess) {
        guard case .starting = process.phase else { return }
        settle(process, on: process.address)
    }

    private func enterService(_ process: ManagedProcess) {
        guard case .starting(var probe) = process.phase else { return }
        probe.cancel()
        process.phase = .running
        process.health?.becameReady(at: process.address, now: Clock.monotonic())
        // Before a session can be placed on it.
        updateRecord(of: process) { record in
            record.stage = .ready
            record.address = process.address
            record.port = nil
        }
        if process.address != process.endpoint.first {
            groups[process.key.group].listens(process.key.handle, at: process.address, now: now())
        }
        groups[process.key.group].becameReady(process.key.handle, now: now())
    }

    /// Signals a process group; a process that is ordered to stop is no longer probed or checked.
    func stopGroup(of process: ManagedProcess, _ signal: Int32) {
        settleExec(process.id)
        var signal = signal
        switch process.phase {
        case .launching:
            // Without its program it has nothing to clean up, and may be suspended for good.
            killLaunch(of: process)
            signal = SIGKILL
        case .starting(var probe):
            probe.cancel()
            process.phase = .running
        case .running:
            break
        case .collected:
            // The pid may have been reused.
            return
        }
        process.health?.end()
        if signal == SIGKILL { process.wasKilled = true }
        process.child.signalGroup(signal)
        if signal == SIGKILL { process.cgroup?.kill() }
    }

    /// Logs that processes cannot be probed, but not too often.
    func logScarcity(_ error: SystemError) {
        probes.logScarcity(error, now: Clock.monotonic(), log: log)
    }

    func follow(_ outcome: ReadinessProbe.Outcome, _ process: ManagedProcess) {
        switch outcome {
        case .notYet:
            break
        case .unable(let error):
            logScarcity(error)
        case .waits(let socket):
            do {
                try loop.add(
                    socket.descriptor, token: EventSource.connection.token(process.id),
                    writable: true)
            } catch {
                // Loopback connections are decided at once, so the current result is final.
                settleConnection(of: process)
            }
        case .accepts(let address):
            if process.child.peekExit() != nil { return collectIfEnded(process) }
            settle(process, on: address)
        }
    }

    /// A program accepts connections at one of the process's addresses.
    private func settle(_ process: ManagedProcess, on address: ProcessAddress) {
        switch portHolder(of: process, at: address) {
        case .process:
            process.address = address
            // With a health path it is ready when that answers, which may take longer.
            if process.health?.isStarting ?? false, !process.hasSentReady {
                process.health?.begin(at: address, now: Clock.monotonic())
            } else {
                enterService(process)
            }
        case .foreign(let user) where PortHolder.isFatal(at: address, process.endpoint):
            process.failure = PortHolder.objection(to: address, heldBy: user)
            stopGroup(of: process, SIGKILL)
        case .free, .foreign:
            goOnProbing(process)
        }
    }

    private func goOnProbing(_ process: ManagedProcess) {
        guard case .starting(var probe) = process.phase else { return }
        let outcome = probe.goOn(now: Clock.monotonic())
        process.phase = .starting(probe)
        follow(outcome, process)
    }
}
