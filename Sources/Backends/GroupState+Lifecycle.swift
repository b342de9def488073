/// The life of processes: facts from supervision, and what follows from them.
extension GroupState {
    mutating func start() {
        precondition(!isStarted, "a group is started once")
        sortAdopted()
        isStarted = true
        closeGate()
        // Those that were adopted have their times too, though nothing happens to them yet.
        touchAll()
    }

    mutating func spawned(
        _ handle: ProcessHandle, incarnation: Incarnation, label: String, pid: Int32,
        address: ProcessAddress
    ) {
        guard let place = find(handle) else { return }
        let index = Int(place)
        precondition(processes[index].incarnation == nil, "a process is spawned once")
        processes[index].incarnation = incarnation
        processes[index].label = label
        processes[index].pid = pid
        processes[index].address = address
        processes[index].startedAt = now
        placesByIncarnation[incarnation] = place
        switch processes[index].phase {
        case .starting:
            // The time that supervision needed to come to it is not the process's.
            processes[index].phase = .starting(until: now + policy.startTimeout)
            touch(place)
        case .ready, .draining, .stopping, .down, .gone: break
        }
    }

    mutating func listens(
        _ handle: ProcessHandle, at address: ProcessAddress
    ) {
        // Nobody is sent to it before it is ready.
        guard let place = find(handle), processes[Int(place)].phase.isStarting else { return }
        processes[Int(place)].address = address
    }

    mutating func becameReady(_ handle: ProcessHandle) {
        guard let place = find(handle) else { return }
        precondition(processes[Int(place)].incarnation != nil, "a process is spawned, then ready")
        guard apply(.becameReady, to: place) == .isReady else { return }
        isProven = true
        processes[Int(place)].readyAt = now
        let duration = now - processes[Int(place)].startedAt
        totals.startDurations.record(duration)
        orders.events.append(.ready(handle, after: duration))
        prepare(place)
    }

    /// A process takes new sessions from now on.
    mutating func prepare(_ place: UInt32) {
        processes[Int(place)].idleSince = now
        // Not behind the others, or it would be given the next many new sessions in a row.
        processes[Int(place)].turn = max(processes[Int(place)].turn, turn)
        touch(place)
    }

    mutating func exited(
        _ handle: ProcessHandle, _ report: ExitReport
    ) {
        guard let place = find(handle) else { return }
        forgetRecycling(of: handle)
        switch apply(.exited, to: place) {
        case .failedToStart:
            totals.startFailures += 1
            noteFailure(report)
            if incomingFailed(place, report) {
                orders.events.append(
                    .startFailed(
                        handle, report, failuresInARow: backoff.inARow,
                        backoff: backoff.left(at: now)))
            } else {
                let wait = noteFailedStart()
                orders.events.append(
                    .startFailed(handle, report, failuresInARow: backoff.inARow, backoff: wait))
                tellIfFailing()
            }
        case .crashed:
            noteFailure(report)
            orders.events.append(.gone(handle, .exited, report))
            loseSessions(at: place)
            // One that was on its way out is no sign of how the others fare.
            if !incomingFailed(place, report), processes[Int(place)].standing == .serving {
                noteLoss(of: place)
            }
        case .stopped(let reason):
            switch reason {
            case .startTimeout, .unreachable: noteFailure(report.preceded(by: cause(of: reason)))
            case .idle, .shutdown, .exited, .drained, .maxRequests, .maxAge, .maxMemory, .watchdog,
                .unhealthy, .requestTimeout, .rollout, .scaledDown, .command, .notify,
                .drainTimeout, .makeRoom, .retired:
                break
            }
            orders.events.append(.gone(handle, reason, report))
        case .nothing, .isReady, .drains, .terminate, .kill, .isDown:
            preconditionFailure("a process that has exited is gone")
        }
        vacate(place)
    }

    /// Orders a process to end; its sessions are lost.
    mutating func stop(_ place: UInt32, _ reason: StopReason) {
        let killAt = now + policy.stopTimeout
        switch apply(.stop(reason, killAt: killAt), to: place) {
        case .terminate(let reason):
            orders.supervision.append(.terminate(handle(place), reason: reason))
            orders.events.append(.stopping(handle(place), reason))
        case .nothing: return
        case .isReady, .drains, .kill, .failedToStart, .crashed, .stopped, .isDown:
            preconditionFailure("a process that is stopped is terminated")
        }
        switch reason {
        case .shutdown:
            processes[Int(place)].sessions = 0
            processes[Int(place)].unconfirmed = 0
        case .idle, .startTimeout, .unreachable, .exited, .drained, .maxRequests, .maxAge,
            .maxMemory, .watchdog, .unhealthy, .requestTimeout, .rollout, .scaledDown, .command,
            .notify, .drainTimeout, .makeRoom, .retired:
            loseSessions(at: place)
        }
    }

    /// Takes a process out of service: it ends when its sessions have; one not ready ends at once.
    mutating func drain(
        _ handle: ProcessHandle, timeout: Interval? = nil
    ) {
        guard isSpawned, let place = find(handle) else { return }
        takeOut(place, .drained, timeout: timeout)
    }

    /// Ends a process now, by an administrator's word.
    mutating func stopNow(_ handle: ProcessHandle) {
        guard isSpawned, let place = find(handle) else { return }
        stop(place, .command)
    }

    /// Ends the draining processes that nobody needs any more.
    mutating func retireDrained() {
        for place in touched {
            guard case .draining(let reason) = processes[Int(place)].phase,
                processes[Int(place)].isUnused(at: now)
            else { continue }
            stop(place, reason)
        }
    }

    /// No connection to a process could be made, though it is known as ready.
    ///
    /// A spawned one has lost its socket, or is about to be reported as gone: either way it is of
    /// no use to anybody and is replaced.
    mutating func connectFailed(_ place: UInt32) {
        guard processes[Int(place)].phase.serves else { return }
        if isSpawned {
            noteFailure(ExitReport(reason: cause(of: .unreachable)))
            noteLoss(of: place)
            stop(place, .unreachable)
        } else {
            takeDown(place)
        }
    }

    mutating func startTimedOut(_ place: UInt32) {
        kill(place, .startTimedOut)
        totals.startFailures += 1
        let report = ExitReport(reason: cause(of: .startTimeout))
        noteFailure(report)
        let isIncoming = incomingFailed(place, report)
        // It is not one of those that are to be any more, though it is still there.
        if isIncoming { move(place, to: .outgoing) }
        let wait = isIncoming ? backoff.left(at: now) : noteFailedStart()
        orders.events.append(
            .startFailed(
                handle(place), report, failuresInARow: backoff.inARow, backoff: wait))
        tellIfFailing()
    }

    mutating func kill(_ place: UInt32, _ fact: ProcessPhase.Fact) {
        switch apply(fact, to: place) {
        case .kill(let reason):
            orders.supervision.append(.kill(handle(place), reason: reason))
            orders.events.append(.killing(handle(place), reason))
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
            let place = UInt32(index)
            refuseProcessQueue(at: place, .shuttingDown)
            switch processes[index].phase {
            case .starting, .ready, .draining: if isSpawned { stop(place, .shutdown) }
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
            .makeRoom, .retired:
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
    /// In whole seconds, or milliseconds where that says more.
    fileprivate var text: String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
