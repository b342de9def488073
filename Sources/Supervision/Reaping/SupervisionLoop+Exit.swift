internal import Backends
internal import CLinux
internal import Reactor

extension SupervisionLoop {
    /// How long the pipes of a dead process are read while somebody else holds them open.
    private static let pipePatience: Int64 = 100_000_000
    /// Lines in a report.
    private static let reportedLines = 64

    /// Collects the leader if it has ended.
    ///
    /// In this order: its process group is killed as long as the zombie keeps the group's number from
    /// being given to others; then it is reaped; then the pipes are read to their end.
    func collectIfEnded(_ process: ManagedProcess) {
        guard process.isUncollected, let status = process.child.peekExit() else { return }
        settleExec(process.id)
        if !process.wasKilled, status.mayBeMemoryKill {
            process.endedForMemory = memory.kills.haveRisen()
        }
        noteForeignPort(process, status)
        stopGroup(of: process, SIGKILL)
        if process.isGuarded { reaping.guardian.remove(process.child) }
        process.child.reap()
        closePidfd(of: process.child)
        if let cgroup = process.cgroup {
            reaping.cgroups.retire(cgroup, now: Clock.monotonic())
        } else if process.child.startTime != nil {
            reaping.strays.seekOrphans(of: process.label)
        }
        process.phase = .collected(status, readUntil: Clock.monotonic() + Self.pipePatience)
        // Strays may hold the pipes open; those that are known to be its own end now.
        reaping.strays.sweep.want()
        read(process, .output)
        // The first may have been the last one open, and the process be forgotten by now.
        if processes.contains(process) { read(process, .errors) }
        if processes.contains(process) { finishIfCollected(process) }
    }

    /// Whoever found its port taken says so in its own words, if at all, and not by whom.
    private func noteForeignPort(_ process: ManagedProcess, _ status: ExitStatus) {
        guard case .starting = process.phase, let port = process.endpoint.port else { return }
        let address = ListeningEndpoint(port: port).first
        guard case .foreign(let user) = portHolder(of: process, at: address) else { return }
        let objection = PortHolder.objection(to: address, heldBy: user)
        process.failure = "\(status.sentence): \(objection)"
    }

    /// Reports a collected process as soon as both pipes have ended.
    func finishIfCollected(_ process: ManagedProcess) {
        guard case .collected(let status, _) = process.phase, !process.hasOpenPipe else { return }
        finish(process, status)
    }

    /// Gives up on pipes that a descendant outside of the process group keeps open.
    func endReadingIfDue(_ process: ManagedProcess, now: Int64) {
        guard processes.contains(process),
            case .collected(let status, let readUntil) = process.phase, readUntil <= now
        else { return }
        finish(process, status)
    }

    /// The guardian may have a copy of it, so closing alone would not take it out of the loop.
    func closePidfd(of child: ChildProcess) {
        loop.remove(child.pidfd)
        mooring_close(child.pidfd)
    }

    private func finish(_ process: ManagedProcess, _ status: ExitStatus) {
        if let failure = process.failure { return remove(process, reason: failure) }
        let sentence = status.sentence(endedForMemory: process.endedForMemory)
        remove(
            process, reason: process.diagnosis.map { "\($0); \(sentence)" } ?? sentence,
            status: status)
    }

    /// Forgets a process and tells its group.
    ///
    /// - Parameter status: how it ended, where that says something.
    func remove(_ process: ManagedProcess, reason: String, status: ExitStatus? = nil) {
        process.closePipes(now: Clock.monotonic())
        removeFiles(
            label: process.label, address: process.endpoint.file,
            runtime: process.record?.runtimeDirectory ?? directory.path)
        processes.remove(process)
        let report = ExitReport(
            reason: reason, status: status?.status, signal: status?.signal,
            output: process.lines.last(Self.reportedLines))
        groups[process.key.group].exited(process.key.handle, report, now: now())
    }
}
