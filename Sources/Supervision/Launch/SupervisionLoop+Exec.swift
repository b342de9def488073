internal import Backends
internal import CLinux
internal import Glibc
internal import Reactor

/// A child between its start and its exec.
///
/// Another process with its group's credentials can stop it there, or hold a lease on the program
/// (fcntl(2)). So it has a deadline, and this thread never blocks on it.
extension SupervisionLoop {
    private static let execPatience: Int64 = 3_000_000_000
    /// The time for a child to die after SIGKILL, unless it is blocked inside the kernel.
    private static let killPatience: Int64 = 1_000_000_000

    /// The exec deadline of a child that is started now.
    func execDeadline() -> Int64 { Clock.monotonic() + Self.execPatience }

    /// Checks whether a child has executed its program or failed; harmless without news.
    func settleExec(_ id: UInt64) {
        guard let outcome = launching.takeOutcome(of: id) else { return }
        guard let process = processes[id], case .launching(let launch) = process.phase else {
            return
        }
        switch outcome {
        // Its exit follows.
        case .failed(let failure): process.failure = "\(failure)"
        case .over:
            if launch.isKilled { return }
            process.phase = .starting(launch.probe)
            announce(process, launch)
            beginStart(of: process)
        }
    }

    /// Informs the group that the process exists.
    func announce(_ process: ManagedProcess, _ launch: ManagedProcess.Launch) {
        groups[process.key.group].spawned(
            process.key.handle, incarnation: launch.incarnation, label: process.label,
            pid: process.child.pid, address: process.address, now: now())
    }

    /// Settles the execs of children that are no longer managed.
    func settleAbandonedExecs() {
        for id in launching.pendingIDs where processes[id] == nil { settleExec(id) }
    }

    /// Kills a child that does not execute its program in time.
    func endLaunchIfDue(_ process: ManagedProcess, now: Int64) {
        guard case .launching(let launch) = process.phase, launch.until <= now else { return }
        if launch.isKilled { return abandon(process) }
        let seconds = Self.execPatience / 1_000_000_000
        process.failure = """
            it did not get to execute its program within \(seconds) s: its user stops it, or \
            holds a lease on the program, or its file system does not answer
            """
        killLaunch(of: process)
    }

    /// Kills a child that has not executed anything.
    func killLaunch(of process: ManagedProcess) {
        guard case .launching(var launch) = process.phase, !launch.isKilled else { return }
        launch.isKilled = true
        launch.until = Clock.monotonic() + Self.killPatience
        process.phase = .launching(launch)
        process.wasKilled = true
        // It may not lead its process group yet.
        _ = mooring_pidfd_signal(process.child.pidfd, SIGKILL)
    }

    /// Releases a child: it is reaped like a stray, whenever it exits.
    func release(_ process: ManagedProcess) {
        if process.isGuarded { reaping.guardian.remove(process.child) }
        _ = mooring_pidfd_signal(process.child.pidfd, SIGKILL)
        if let cgroup = process.cgroup { reaping.cgroups.retire(cgroup, now: Clock.monotonic()) }
        let child = process.child
        loop.remove(child.pidfd)
        reaping.strays.follow(child.pid, pidfd: child.pidfd, on: loop)
    }

    /// Gives up a child that survives SIGKILL: it is blocked inside the kernel, usually by a file
    /// system.
    private func abandon(_ process: ManagedProcess) {
        release(process)
        let reason = process.failure ?? "it did not get to execute its program"
        remove(process, reason: "\(reason); it cannot be killed either, and is left behind")
    }
}
