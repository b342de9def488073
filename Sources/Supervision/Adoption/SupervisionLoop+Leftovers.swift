internal import CLinux
internal import Glibc
internal import Logging
internal import Reactor

/// Processes of an earlier balancer that nobody has a place for: they are stopped.
extension SupervisionLoop {
    /// One of them on its way out; its output is not read.
    struct Leftover {
        var child: ChildProcess
        var record: ProcessRecord
        var cgroup: Cgroup?
        /// When it is killed; nil: it was.
        var killAt: Int64?
    }

    /// What such a process has after SIGTERM; its group's `stop_timeout` may be gone with the group.
    private static let leftoverPatience: Int64 = 10_000_000_000

    /// Tells a process whose identity is proven to end.
    func stopLeftover(_ record: ProcessRecord, pidfd: Int32, because reason: String) {
        let pid = record.process.pid
        log.notice(
            "stopping pid \(pid) of an earlier balancer (group \(record.group)): \(reason)")
        let child = ChildProcess(
            pid: pid, pidfd: pidfd, output: -1, errors: -1, startTime: record.process.startTime)
        lastID += 1
        let leftover = Leftover(
            child: child, record: record,
            cgroup: CgroupTree.holding(pid: pid, group: record.group, label: record.label),
            killAt: Clock.monotonic() + Self.leftoverPatience)
        child.signalGroup(SIGTERM)
        // One that is suspended would not see it.
        child.signalGroup(SIGCONT)
        leftovers[lastID] = leftover
        do {
            try loop.add(pidfd, token: Source.leftover.token(lastID))
        } catch {
            // Its end would go unseen, so it is made to end now.
            killLeftover(lastID)
            collectLeftover(lastID, evenAlive: true)
        }
    }

    /// Ends the rest of its group and removes its files once it has ended.
    func collectLeftover(_ id: UInt64, evenAlive: Bool = false) {
        guard let leftover = leftovers[id] else { return }
        if leftover.child.peekExit() == nil && !evenAlive { return }
        leftover.child.signalGroup(SIGKILL)
        leftover.child.reap()
        closePidfd(of: leftover.child)
        if let cgroup = leftover.cgroup {
            cgroups.retire(cgroup, now: Clock.monotonic())
        } else {
            seekOrphans(of: leftover.record.label)
        }
        removeFiles(
            label: leftover.record.label, address: leftover.record.address,
            runtime: leftover.record.runtimeDirectory)
        leftovers[id] = nil
        log.info("pid \(leftover.record.process.pid) of an earlier balancer has ended")
    }

    /// Kills those that do not end by themselves.
    func killLeftovers(now: Int64) {
        for (id, leftover) in leftovers {
            if let time = leftover.killAt, time <= now { killLeftover(id) }
        }
    }

    private func killLeftover(_ id: UInt64) {
        leftovers[id]?.killAt = nil
        leftovers[id]?.child.signalGroup(SIGKILL)
        leftovers[id]?.cgroup?.kill()
    }
}
