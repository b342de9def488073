internal import Backends
internal import Glibc
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Tries to connect to a starting process if it is time to.
    func probeIfDue(_ process: ManagedProcess, now: Int64) {
        guard case .starting(var probe) = process.phase, let next = probe.nextAttempt, next <= now
        else { return }
        let outcome = probe.attempt(now: now)
        process.phase = .starting(probe)
        follow(outcome, process)
    }

    /// A connection that was pending has been made or refused.
    func settleConnection(of process: ManagedProcess) {
        guard case .starting(var probe) = process.phase else { return }
        let outcome = probe.settle(now: Clock.monotonic())
        process.phase = .starting(probe)
        follow(outcome, process)
    }

    /// It has said that it is ready, or answers well; harmless when that is known.
    func becomeReady(_ process: ManagedProcess) {
        // Who speaks executes its program.
        settleExec(process.id)
        guard case .starting = process.phase else { return }
        if ownsItsPort(process) { enterService(process) } else { goOnProbing(process) }
    }

    private func enterService(_ process: ManagedProcess) {
        guard case .starting(var probe) = process.phase else { return }
        probe.cancel()
        process.phase = .running
        process.health?.becameReady(now: Clock.monotonic())
        // Before a session can be placed on it.
        updateRecord(of: process) { $0.stage = .ready }
        groups[process.key.group].becameReady(process.key.handle, now: now())
    }

    /// Signals a process group; whoever is told to end is not asked any more whether it is ready
    /// or healthy.
    func stopGroup(of process: ManagedProcess, _ signal: Int32) {
        settleExec(process.id)
        var signal = signal
        switch process.phase {
        case .launching:
            // It has nothing to put in order, and may be stopped for good.
            killLaunch(of: process)
            signal = SIGKILL
        case .starting(var probe):
            probe.cancel()
            process.phase = .running
        case .running:
            break
        case .collected:
            // The pid may be somebody else's by now.
            return
        }
        process.health?.end()
        if signal == SIGKILL { process.wasKilled = true }
        process.child.signalGroup(signal)
        if signal == SIGKILL { process.cgroup?.kill() }
    }

    /// Tells the operator, at most every ten seconds, that processes cannot be asked.
    func tellOfScarcity(_ error: SystemError) {
        let now = Clock.monotonic()
        guard now >= scarcityTellAt else { return }
        scarcityTellAt = now + 10_000_000_000
        log.warning(
            """
            processes cannot be asked whether they are ready or well: \(error); \
            \(SystemError.remedy(error.errno))
            """)
    }

    private func follow(_ outcome: ReadinessProbe.Outcome, _ process: ManagedProcess) {
        switch outcome {
        case .notYet:
            break
        case .unable(let error):
            tellOfScarcity(error)
        case .waits(let socket):
            do {
                try loop.add(
                    socket.descriptor, token: Source.connection.token(process.id), writable: true)
            } catch {
                // Loopback connections are decided at once, so what is known now will do.
                settleConnection(of: process)
            }
        case .accepts:
            if process.child.peekExit() != nil { return collectIfEnded(process) }
            guard ownsItsPort(process) else { return goOnProbing(process) }
            // With a health path it is ready when that answers, which it may not do at once.
            if process.health?.isStarting ?? false {
                process.health?.begin(now: Clock.monotonic())
            } else {
                enterService(process)
            }
        }
    }

    private func goOnProbing(_ process: ManagedProcess) {
        guard case .starting(var probe) = process.phase else { return }
        probe.goOn(now: Clock.monotonic())
        process.phase = .starting(probe)
    }
}
