internal import Backends
internal import CLinux
internal import Reactor

extension SupervisionLoop {
    /// How long the pipes of an exited process are read while a descendant holds them open.
    private static let pipePatience: Int64 = 100_000_000
    /// The number of lines in a report.
    private static let reportedLines = 64

    /// Reaps the leader if it has exited.
    ///
    /// In this order: its process group is killed while the zombie prevents the group's number from
    /// being reused; then it is reaped; then the pipes are read to their end.
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
        // Strays may hold the pipes open; its known ones are killed now.
        reaping.strays.sweep.want()
        read(process, .output)
        // Reading the first may have finished the process.
        if processes.contains(process) { read(process, .errors) }
        if processes.contains(process) { finishIfCollected(process) }
    }

    /// A program whose port was taken reports that in its own words, if at all, and not by whom.
    private func noteForeignPort(_ process: ManagedProcess, _ status: ExitStatus) {
        guard case .starting = process.phase, let port = process.endpoint.port else { return }
        let address = ListeningEndpoint(port: port).first
        guard case .foreign(let user) = portHolder(of: process, at: address) else { return }
        let objection = PortHolder.objection(to: address, heldBy: user)
        process.failure = "\(status.sentence): \(objection)"
    }

    /// Reports a reaped process as soon as both pipes have ended.
    func finishIfCollected(_ process: ManagedProcess) {
        guard case .collected(let status, _) = process.phase, !process.hasOpenPipe else { return }
        finish(process, status)
    }

    /// Gives up pipes that a descendant outside of the process group holds open.
    func endReadingIfDue(_ process: ManagedProcess, now: Int64) {
        guard processes.contains(process),
            case .collected(let status, let readUntil) = process.phase, readUntil <= now
        else { return }
        finish(process, status)
    }

    /// The guardian may have a copy of it, so closing alone would not remove it from the loop.
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

    /// Forgets a process and informs its group.
    ///
    /// - Parameter status: its exit status, if meaningful.
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
