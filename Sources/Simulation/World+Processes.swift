internal import Backends

/// Processes: they start or fail to, crash, ignore signals, and exit.
extension World {
    func attend(to order: SupervisionOrder) throws(Violation) {
        switch order {
        case .spawn(let handle, let reason, let generation):
            history.note(now, "start \(handle): \(reason)")
            summary.starts += 1
            try shadow.entered(
                handle, .starting, generation: generation, isReplacement: reason == .recycle)
            planStart(handle)
        case .terminate(let handle, let reason):
            history.note(now, "terminate \(handle): \(reason)")
            try shadow.checkStop(handle, reason, now: now)
            try shadow.checkReplacement(of: handle, reason)
            shadow.stopping(handle, reason)
            if reason == .idle { summary.evictions += 1 }
            if chance.percent("ignoresTermination", 20) {
                ignoresTermination.insert(handle)
            } else {
                agenda.add(.ends, handle, at: soon("endsAfter", upTo: 2_000))
            }
        case .kill(let handle, let reason):
            history.note(now, "kill \(handle): \(reason)")
            shadow.stopping(handle, reason)
            agenda.add(.ends, handle, at: soon("endsAfter", upTo: 20))
        case .rememberDraining(let handle, let reason, let until):
            drainingOnRecord[handle] = DrainOnRecord(reason: reason, until: until)
        case .rememberServing(let handle): drainingOnRecord[handle] = nil
        case .rememberHold(let handle, let hold): holdsOnRecord[handle] = hold
        case .remember(let handle, let sessions): remembered[handle] = sessions
        case .rememberUse(let handle, true): usedOnRecord.insert(handle)
        case .rememberUse(let handle, false): usedOnRecord.remove(handle)
        case .rememberServers: break
        }
    }

    func attend(to event: RegistryEvent) throws(Violation) {
        switch event {
        case .ready(let handle, _): shadow.set(handle, .ready)
        case .answering(let handle): history.note(now, "\(handle) answers")
        case .joined(let handle): history.note(now, "\(handle) is new")
        case .out(let handle):
            history.note(now, "\(handle) is out of service")
            shadow.set(handle, .down)
        case .up(let handle):
            history.note(now, "\(handle) is up")
            shadow.set(handle, .ready)
        case .down(let handle, let span):
            history.note(now, "\(handle) is down for \(span.seconds) s")
            shadow.set(handle, .down)
        case .draining(let handle, let reason):
            try shadow.checkReplacement(of: handle, reason)
            shadow.set(handle, .draining)
        case .reinstated(let handle):
            history.note(now, "\(handle) serves again")
            shadow.reinstate(handle)
        case .gone(let handle, _, _): shadow.set(handle, .gone)
        case .startFailed(let handle, let report, let failures, let backoff):
            history.note(now, "\(handle) failed (\(failures) in a row, \(backoff.seconds) s)")
            summary.failedStarts += 1
            // A process killed for being late is not gone yet.
            if report.status != nil { shadow.set(handle, .gone) }
        case .sessionsLost(_, let count): summary.lost += count
        case .failing, .recovered, .waitingForRoom, .leasesFull, .recyclingWaits:
            history.note(now, "\(event)")
        case .recycling(let handle, let reason):
            history.note(now, "\(handle) will be replaced: \(reason)")
            summary.recycled += 1
            shadow.markForRecycling(handle, reason)
        case .rolloutDone(let generation):
            history.note(now, "\(event)")
            summary.rollouts += 1
            shadow.tookOver(generation)
        case .rolloutFailed(let generation, _):
            history.note(now, "\(event)")
            shadow.gaveUp(generation)
        case .scaled(let minimum, let maximum):
            history.note(now, "\(event)")
            shadow.rescaled(minimum: minimum, maximum: maximum)
        case .adopted, .rolloutStarted: history.note(now, "\(event)")
        case .spawning, .stopping, .killing, .shed: break
        }
    }

    /// Schedules the events of a start.
    private func planStart(_ handle: ProcessHandle) {
        let spawned = soon("spawnsAfter", upTo: 50)
        agenda.add(.spawns, handle, at: spawned)
        if chance.percent("isBroken", brokenStarts) {
            switch chance.int("fault", in: 0..<4) {
            case 0:
                // It cannot be executed at all.
                agenda.forget(handle)
                agenda.add(.exitIsReported, handle, at: spawned)
            case 1: break  // It never listens.
            default: agenda.add(.ends, handle, at: spawned + milliseconds("endsAfter", upTo: 1_000))
            }
        } else {
            let time: Int64 = chance.percent("isSlow", 10) ? 30_000 : 500
            agenda.add(.getsReady, handle, at: spawned + milliseconds("readyAfter", upTo: time))
            if time > 500 {
                agenda.add(.sleeps, handle, at: spawned + milliseconds("sleepsAfter", upTo: time))
                agenda.add(.wakes, handle, at: spawned + milliseconds("wakesAfter", upTo: time))
            }
        }
    }

    private func soon(_ name: String, upTo limit: Int64) -> MonotonicInstant {
        now + milliseconds(name, upTo: limit)
    }

    private func milliseconds(_ name: String, upTo limit: Int64) -> Interval {
        .milliseconds(chance.int(name, in: 0...limit))
    }

    /// Applies one event of the agenda.
    func happen(_ handle: ProcessHandle, _ event: Event) throws(Violation) {
        history.note(now, "\(handle) \(event)")
        switch event {
        case .spawns:
            lastIncarnation += 1
            let incarnation = Incarnation(lastIncarnation)
            shadow.learn(handle, incarnation)
            group.spawned(
                handle, incarnation: incarnation, label: "p\(lastIncarnation)", pid: 1,
                address: .unix(path: "/run/p\(lastIncarnation)"), now: now)
        case .getsReady:
            if unreportedExits.contains(handle) { return }
            group.becameReady(handle, now: now)
        case .sleeps: group.startSleeps(handle, true, now: now)
        case .wakes: group.startSleeps(handle, false, now: now)
        case .ends:
            end(handle)
        case .exitIsReported:
            agenda.forget(handle)
            unreportedExits.remove(handle)
            ignoresTermination.remove(handle)
            group.exited(handle, ExitReport(reason: "ended", status: 1), now: now)
        }
        try attend()
    }

    /// A process exits; supervision notices a moment later.
    private func end(_ handle: ProcessHandle) {
        guard unreportedExits.insert(handle).inserted else { return }
        agenda.add(.exitIsReported, handle, at: soon("toldAfter", upTo: 20))
    }

    /// A running process crashes.
    func crash() {
        let candidates = shadow.processes.values.filter { $0.incarnation != nil && $0.serves }
            .map(\.handle).sorted { ($0.index, $0.serial) < ($1.index, $1.serial) }
        guard scenario.policy.kind == .spawned,
            let handle = chance.element("process", of: candidates)
        else { return }
        history.note(now, "\(handle) crashes")
        summary.crashes += 1
        end(handle)
    }

    func drainOne() throws(Violation) {
        let candidates = group.snapshot(now: now).processes.map(\.handle)
        guard let handle = chance.element("process", of: candidates) else { return }
        history.note(now, "drain \(handle)")
        group.drain(handle, now: now)
        try attend()
    }

    func reset() throws(Violation) {
        history.note(now, "reset")
        group.reset(now: now)
        try attend()
    }
}

extension ProcessHandle: CustomStringConvertible {
    /// Short, for histories: entry and serial.
    package var description: String { "process \(index).\(serial)" }
}
