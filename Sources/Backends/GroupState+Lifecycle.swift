/// The life of processes: facts from supervision and their consequences.
extension GroupState {
    mutating func start() {
        precondition(!isStarted, "a group is started once")
        sortAdopted()
        isStarted = true
        closeGate()
        // Adopted processes have deadlines too, though nothing was done about them before the
        // start.
        touchAll()
    }

    mutating func spawned(
        _ handle: ProcessHandle, incarnation: Incarnation, label: String, pid: Int32,
        address: ProcessAddress
    ) {
        guard let entry = find(handle) else { return }
        let index = Int(entry)
        precondition(processes[index].incarnation == nil, "a process is spawned once")
        processes[index].incarnation = incarnation
        processes[index].label = label
        processes[index].pid = pid
        processes[index].address = address
        processes[index].startedAt = now
        entriesByIncarnation[incarnation] = entry
        switch processes[index].phase {
        case .starting:
            // Supervision may have taken a while to spawn it; that does not shorten the process's
            // start timeout.
            processes[index].phase = .starting(until: now + policy.startTimeout)
            touch(entry)
        case .ready, .draining, .stopping, .down, .gone: break
        }
    }

    mutating func listens(
        _ handle: ProcessHandle, at address: ProcessAddress
    ) {
        // It gets no requests before it is ready.
        guard let entry = find(handle), processes[Int(entry)].phase.isStarting else { return }
        processes[Int(entry)].address = address
    }

    mutating func becameReady(_ handle: ProcessHandle) {
        guard let entry = find(handle) else { return }
        precondition(processes[Int(entry)].incarnation != nil, "a process is spawned, then ready")
        guard apply(.becameReady, to: entry) == .isReady else { return }
        isProven = true
        processes[Int(entry)].readyAt = now
        let duration = now - processes[Int(entry)].startedAt
        processes[Int(entry)].readyAfter = duration
        totals.startDurations.record(duration)
        orders.events.append(.ready(handle, after: duration))
        prepare(entry)
    }

    /// Prepares a process that takes new sessions from now on.
    mutating func prepare(_ entry: UInt32) {
        processes[Int(entry)].idleSince = now
        // Starting at turn 0 would give it the next many new sessions in a row.
        processes[Int(entry)].turn = max(processes[Int(entry)].turn, turn)
        touch(entry)
    }

    mutating func exited(
        _ handle: ProcessHandle, _ report: ExitReport
    ) {
        guard let entry = find(handle) else { return }
        forgetRecycling(of: handle)
        switch apply(.exited, to: entry) {
        case .failedToStart:
            totals.startFailures += 1
            noteFailure(report)
            if processes[Int(entry)].standing == .incoming {
                reportIncomingFailed(entry, report)
            } else {
                let wait = noteFailedStart()
                orders.events.append(
                    .startFailed(handle, report, failuresInARow: backoff.inARow, backoff: wait))
                reportIfFailing()
            }
        case .crashed:
            noteFailure(report)
            orders.events.append(.gone(handle, .exited, report))
            loseSessions(at: entry)
            // The failure of a draining process does not indicate the health of the others.
            if !incomingFailed(entry, report), processes[Int(entry)].standing == .serving {
                noteLoss(of: entry)
            }
        case .stopped(let reason):
            switch reason {
            case .startTimeout, .unreachable: noteFailure(report.preceded(by: cause(of: reason)))
            case .idle, .shutdown, .exited, .drained, .maxRequests, .maxAge, .maxMemory, .watchdog,
                .unhealthy, .requestTimeout, .rollout, .scaledDown, .command, .notify,
                .drainTimeout, .makeRoom, .retired, .removed:
                break
            }
            orders.events.append(.gone(handle, reason, report))
        case .nothing, .isReady, .drains, .terminate, .kill, .isDown:
            preconditionFailure("a process that has exited is gone")
        }
        vacate(entry)
    }

    /// Orders a process to stop; its sessions are lost.
    mutating func stop(_ entry: UInt32, _ reason: StopReason) {
        let killAt = now + policy.stopTimeout
        switch apply(.stop(reason, killAt: killAt), to: entry) {
        case .terminate(let reason):
            orders.supervision.append(.terminate(handle(entry), reason: reason))
            orders.events.append(.stopping(handle(entry), reason))
        case .nothing: return
        case .isReady, .drains, .kill, .failedToStart, .crashed, .stopped, .isDown:
            preconditionFailure("a process that is stopped is terminated")
        }
        switch reason {
        case .shutdown:
            processes[Int(entry)].sessions = 0
            processes[Int(entry)].unconfirmed = 0
        case .idle, .startTimeout, .unreachable, .exited, .drained, .maxRequests, .maxAge,
            .maxMemory, .watchdog, .unhealthy, .requestTimeout, .rollout, .scaledDown, .command,
            .notify, .drainTimeout, .makeRoom, .retired, .removed:
            loseSessions(at: entry)
        }
    }

    /// Takes a process out of service: it stops when its sessions have ended, or at once if it is
    /// not ready.
    mutating func drain(
        _ handle: ProcessHandle, timeout: Interval? = nil
    ) {
        guard let entry = find(handle) else { return }
        if !isSpawned { return drainServer(entry, timeout: timeout) }
        takeOut(entry, .drained, timeout: timeout)
    }

    /// Stops a process now, on an administrator's command.
    mutating func stopNow(_ handle: ProcessHandle) {
        guard let entry = find(handle) else { return }
        if !isSpawned { return stopServer(entry) }
        stop(entry, .command)
    }

    /// Stops the draining processes that no request, session or waiter needs.
    mutating func retireDrained() {
        for entry in touched {
            guard case .draining(let reason) = processes[Int(entry)].phase,
                processes[Int(entry)].isUnused(at: now)
            else { continue }
            if isSpawned { stop(entry, reason) } else { endDraining(of: entry) }
        }
    }

    /// A connection to a process failed, though it is known as ready.
    ///
    /// A spawned process has lost its socket, or is about to be reported as gone: either way it
    /// cannot serve and is replaced.
    mutating func connectFailed(_ entry: UInt32) {
        guard processes[Int(entry)].phase.serves else { return }
        if isSpawned {
            noteFailure(ExitReport(reason: cause(of: .unreachable)))
            noteLoss(of: entry)
            stop(entry, .unreachable)
        } else {
            takeDown(entry)
        }
    }

    mutating func startTimedOut(_ entry: UInt32) {
        kill(entry, .startTimedOut)
        totals.startFailures += 1
        let report = ExitReport(reason: cause(of: .startTimeout))
        noteFailure(report)
        if processes[Int(entry)].standing == .incoming {
            reportIncomingFailed(entry, report)
            // It no longer counts towards `min` and `max`, though it still exists.
            return move(entry, to: .outgoing)
        }
        let wait = noteFailedStart()
        orders.events.append(
            .startFailed(
                handle(entry), report, failuresInARow: backoff.inARow, backoff: wait))
        reportIfFailing()
    }

    /// A new generation's failures do not count as the group's and cause no back-off.
    private mutating func reportIncomingFailed(_ entry: UInt32, _ report: ExitReport) {
        orders.events.append(
            .startFailed(handle(entry), report, failuresInARow: 0, backoff: .zero))
        _ = incomingFailed(entry, report)
    }

    mutating func kill(_ entry: UInt32, _ fact: ProcessPhase.Fact) {
        switch apply(fact, to: entry) {
        case .kill(let reason):
            orders.supervision.append(.kill(handle(entry), reason: reason))
            orders.events.append(.killing(handle(entry), reason))
        case .nothing, .isReady, .drains, .terminate, .failedToStart, .crashed, .stopped, .isDown:
            preconditionFailure("a process whose time is up is killed")
        }
    }

    mutating func shutDown() {
        if isShuttingDown { return }
        isShuttingDown = true
        stopWaitingForBudget()
        refuseGroupQueue(.shuttingDown)
        for index in processes.indices {
            let entry = UInt32(index)
            refuseProcessQueue(at: entry, .shuttingDown)
            switch processes[index].phase {
            case .starting, .ready, .draining: if isSpawned { stop(entry, .shutdown) }
            case .stopping, .down, .gone: break
            }
        }
    }

    var isStopped: Bool {
        if !isSpawned { return isShuttingDown || (isRetired && inFlight == 0) }
        return (isShuttingDown || isRetired) && census.live + incoming.live + outgoing.live == 0
    }

    // MARK: Failures

    private mutating func noteFailure(_ report: ExitReport) {
        lastFailure = GroupSnapshot.Failure(at: now, report: report)
    }

    private func cause(of reason: StopReason) -> String {
        switch reason {
        case .startTimeout:
            "not ready within \(policy.startTimeout.text) (start_timeout)"
        case .unreachable: "running, but no connection to it could be made"
        case .idle, .shutdown, .exited, .drained, .maxRequests, .maxAge, .maxMemory, .watchdog,
            .unhealthy, .requestTimeout, .rollout, .scaledDown, .command, .notify, .drainTimeout,
            .makeRoom, .retired, .removed:
            reason.rawValue
        }
    }
}

extension ExitReport {
    fileprivate func preceded(by cause: String) -> ExitReport {
        var report = self
        report.reason = "\(cause); \(reason)"
        return report
    }
}

extension Interval {
    /// In whole seconds, or in milliseconds if that is more precise.
    fileprivate var text: String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
