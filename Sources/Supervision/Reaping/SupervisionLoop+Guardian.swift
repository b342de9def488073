internal import Logging
internal import Reactor
internal import Settings

extension SupervisionLoop {
    /// Whether a process must be killed when this program ends, however it ends.
    ///
    /// Without a state directory nobody could ever find it again.
    func endsWithUs(_ onExit: OnExit?) -> Bool {
        records.directory == nil || onExit == .kill
    }

    /// Registers a process with the guardian.
    func guardProcess(_ process: ManagedProcess) {
        process.isGuarded = true
        let watched = reaping.guardian.pid
        do {
            try reaping.guardian.add(process.child, process.cgroup)
            if reaping.guardian.pid != watched, let pid = reaping.guardian.pid,
                reaping.guardian.pidfd >= 0
            {
                try loop.add(reaping.guardian.pidfd, token: EventSource.stray.token(UInt64(pid)))
            }
        } catch {
            log.about(process).error(
                "a process will outlive the balancer if that is killed: \(error)",
                metadata: [
                    "process": "\(process.label)", "pid": .stringConvertible(process.child.pid),
                ])
        }
    }

    /// The guardian itself was killed: starts another.
    func replaceGuardian() {
        reaping.guardian.dismiss()
        for process in processes.values where process.isGuarded && process.isUncollected {
            guardProcess(process)
        }
        log.warning(
            "the guardian of processes with on_exit = \"kill\" was ended; another stands in")
    }
}
