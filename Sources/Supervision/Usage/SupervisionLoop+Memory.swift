internal import Backends
internal import Logging
internal import Reactor

extension SupervisionLoop {
    private static let mebibyte: Int64 = 1 << 20

    /// When the next check is due; nil: no process has a limit.
    func nextMemoryCheck() -> Int64? {
        processes.values.contains(where: \.hasMemoryLimit) ? memory.checkAt : nil
    }

    /// Recycles the processes that exceed their group's `max_memory`, if it is time to check.
    func checkMemoryIfDue(now: Int64) {
        guard memory.isDue(now: now) else { return }
        let limited = processes.values.filter(\.hasMemoryLimit)
        if limited.isEmpty { return }
        let scattered = limited.filter { $0.cgroup == nil }.map(\.child.pid)
        let members = ProcessUsage.members(ofGroups: Set(scattered))
        for process in limited {
            let pids = process.cgroup?.members() ?? members[process.child.pid] ?? []
            guard let limit = process.memoryLimit,
                let bytes = MemoryUse.above(limit, pids: pids)
            else { continue }
            // Once; the registry handles the rest.
            process.memoryLimit = nil
            log.about(process).notice(
                """
                process \(process.label) is recycled: it uses \(bytes / Self.mebibyte) MiB, more \
                than max_memory (\(limit / Self.mebibyte) MiB)
                """)
            groups[process.key.group].recycle(
                process.key.handle, reason: .maxMemory, now: MonotonicInstant(nanoseconds: now))
        }
    }

    /// Logs the users whose processes are not read because they block readers.
    func logHeldReaders() {
        for user in HoldableFiles.shared.takeNews() {
            log.warning(
                """
                a process of the user with the id \(user) keeps whoever reads its memory's files in \
                /proc waiting; for a minute at least none of this user's is looked into, so that \
                descendants which have left their process group may not be found
                """)
        }
    }
}
