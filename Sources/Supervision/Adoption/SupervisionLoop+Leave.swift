internal import Backends
internal import CLinux
internal import Logging
internal import Reactor

/// Releasing the processes, so that another balancer can adopt them.
extension SupervisionLoop {
    /// Releases every process without touching it; its record stays.
    ///
    /// From here on this loop executes no orders, signals no process and removes no file. It still
    /// reads this program's signals, drives the registry's time for the requests in flight, and
    /// reaps exiting children, which only their parent can do.
    func leave() {
        if adoption.hasLeft { return }
        for process in processes.values { collectIfEnded(process) }
        for process in processes.values {
            if case .collected = process.phase {
                endReadingIfDue(process, now: .max)
            } else {
                letGo(process)
            }
        }
        for leftover in adoption.leftovers.values { closePidfd(of: leftover.child) }
        adoption.leftovers.removeAll()
        probes.servers.leave()
        reaping.guardian.dismiss()
        // Descendants that lose their parents must not be reparented to this program any more.
        _ = mooring_set_subreaper(false)
        closeNotifySocket()
        adoption.leave()
    }

    /// Answers an order to spawn that comes too late.
    func refuse(_ key: ProcessKey) {
        let report = ExitReport(reason: "this balancer has left its processes to another one")
        groups[key.group].exited(key.handle, report, now: now())
    }

    private func letGo(_ process: ManagedProcess) {
        settleExec(process.id)
        if case .launching(let launch) = process.phase { announce(process, launch) }
        adoption.expected.add(process, now: Clock.monotonic())
        process.health?.end()
        // A planned take-over also keeps processes with `on_exit = "kill"`.
        updateRecord(of: process) { $0.isLeft = true }
        watchEnd(of: process.child)
        process.closePipes(now: Clock.monotonic())
        processes.remove(process)
        log.about(process).debug(
            "left process \(process.label) (pid \(process.child.pid)) to the next balancer")
    }

    /// A child is reaped when it exits, like a stray; an adopting balancer cannot reap it.
    private func watchEnd(of child: ChildProcess) {
        let isOurs = child.startTime == nil
        loop.remove(child.pidfd)
        guard isOurs else { return mooring_close(child.pidfd) }
        reaping.strays.follow(child.pid, pidfd: child.pidfd, on: loop)
    }
}
