internal import CLinux
internal import Glibc
internal import Reactor

/// Descendants that left their process's group (a daemon's double fork) are reparented to this
/// program when their parents exit, since it is their subreaper; see prctl(2).
extension SupervisionLoop {
    /// Reaps strays that have exited, and kills those whose process is gone.
    ///
    /// The label in its environment shows which process a stray belongs to; one that has
    /// overwritten it is left alone while Mooring runs (`sparingTheUnknown`), and killed with the
    /// rest at shutdown. During an exec the environment is unreadable; such a process is checked
    /// again.
    func sweepStrays(sparingTheUnknown: Bool) {
        reaping.strays.sweep.begin()
        reaping.strays.forgetEnded()
        var isUndecided = adoption.hasLeft ? false : reaping.strays.killOrphans(on: loop)
        let ownSession = getsid(0)
        let managed = Set(processes.values.filter(\.isUncollected).map(\.child.pid))
        for pid in Self.children() where !managed.contains(pid) {
            if pid == reaping.guardian.pid {
                if mooring_wait_reap_pid(pid) == 1 { replaceGuardian() }
                continue
            }
            let isStray = reaping.strays.contains(pid)
            // Every process leads its own session; children of a library's are in ours.
            if !isStray, getsid(pid) == ownSession { continue }
            if mooring_wait_reap_pid(pid) == 1 {
                reaping.strays.forget(pid)
                continue
            }
            // Processes left to another balancer belong to it, with their descendants.
            if isStray || adoption.hasLeft { continue }
            switch owner(of: pid) {
            case .living: break
            case .gone: reaping.strays.kill(pid, on: loop)
            case .unknown:
                isUndecided = true
                if !sparingTheUnknown { reaping.strays.kill(pid, on: loop) }
            }
        }
        settleAbandonedExecs()
        reaping.strays.sweep.repeatLater(isUndecided, now: Clock.monotonic())
    }

    private enum Owner {
        case living
        case gone
        case unknown
    }

    private func owner(of pid: Int32) -> Owner {
        guard let label = ProcessIdentity.label(of: pid) else { return .unknown }
        let lives = processes.values.contains { $0.isUncollected && $0.label == label }
        return lives ? .living : .gone
    }

    /// The children of all threads; see proc(5) on `task/TID/children`.
    private static func children() -> [Int32] {
        ProcFile.entries("/proc/self/task").flatMap { thread -> [Int32] in
            guard let text = ProcFile.text("/proc/self/task/\(thread)/children") else { return [] }
            return text.split(separator: " ").compactMap { Int32($0) }
        }
    }
}
