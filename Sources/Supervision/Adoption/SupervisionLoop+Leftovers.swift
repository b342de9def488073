internal import Glibc
internal import Logging
internal import Reactor

/// Processes of an earlier balancer that no group has room for: they are stopped.
extension SupervisionLoop {
    /// Stops a process whose identity was verified.
    func stopLeftover(_ record: ProcessRecord, pidfd: Int32, because reason: String) {
        let pid = record.process.pid
        log.about(record).notice(
            "stopping pid \(pid) of an earlier balancer (group \(record.group)): \(reason)")
        let child = ChildProcess(
            pid: pid, pidfd: pidfd, output: -1, errors: -1, startTime: record.process.startTime)
        let cgroup = CgroupTree.holding(pid: pid, group: record.group, label: record.label)
        let id = adoption.leftovers.stop(child, of: record, in: cgroup, now: Clock.monotonic())
        do {
            try loop.add(pidfd, token: EventSource.leftover.token(id))
        } catch {
            // Its exit would go unnoticed, so it is killed now.
            adoption.leftovers.kill(id)
            collectLeftover(id, evenAlive: true)
        }
    }

    /// Kills the rest of its group and removes its files once it has exited.
    func collectLeftover(_ id: UInt64, evenAlive: Bool = false) {
        guard let leftover = adoption.leftovers[id] else { return }
        if leftover.child.peekExit() == nil && !evenAlive { return }
        leftover.child.signalGroup(SIGKILL)
        leftover.child.reap()
        closePidfd(of: leftover.child)
        if let cgroup = leftover.cgroup {
            reaping.cgroups.retire(cgroup, now: Clock.monotonic())
        } else {
            reaping.strays.seekOrphans(of: leftover.record.label)
        }
        removeFiles(
            label: leftover.record.label, address: leftover.record.address,
            runtime: leftover.record.runtimeDirectory)
        adoption.leftovers.remove(id)
        log.about(leftover.record).info(
            "pid \(leftover.record.process.pid) of an earlier balancer has ended")
    }
}
