internal import CLinux
internal import Glibc
internal import Reactor

/// Descendants that left the process group of the process they belong to (a daemon's double fork)
/// come to this program when their parents end, since it is their subreaper; see prctl(2).
extension SupervisionLoop {
    /// Collects strays that have ended, and kills those whose process is gone.
    ///
    /// A stray tells by the label in its environment whose it is; one that has overwritten that is
    /// left alone while Mooring runs (`sparingTheUnknown`), and killed with the rest at the end. In
    /// the middle of an exec there is no environment to be read; such a one is looked at again.
    func sweepStrays(sparingTheUnknown: Bool) {
        sweep.isWanted = false
        var isUndecided = killOrphans()
        let ownSession = getsid(0)
        let managed = Set(processes.values.filter(\.isUncollected).map(\.child.pid))
        for pid in Self.children() where !managed.contains(pid) {
            if pid == guardian.pid {
                if mooring_wait_reap_pid(pid) == 1 { replaceGuardian() }
                continue
            }
            // Every process was made leader of a session; children of a library's are in ours.
            if strays[pid] == nil, getsid(pid) == ownSession { continue }
            if mooring_wait_reap_pid(pid) == 1 {
                forget(pid)
                continue
            }
            // Those that were left belong to another balancer, with their descendants.
            if strays[pid] != nil || hasLeft { continue }
            switch owner(of: pid) {
            case .living: break
            case .gone: kill(pid)
            case .unknown:
                isUndecided = true
                if !sparingTheUnknown { kill(pid) }
            }
        }
        settleAbandonedExecs()
        sweep.repeatLater(isUndecided, now: Clock.monotonic())
    }

    /// The descendants of a process that this program has not started come to another when their
    /// parents end: they are looked for among all processes, until a look finds none.
    func seekOrphans(of label: String) {
        orphanLabels.insert(label)
        sweep.want()
    }

    /// Whether another look is due.
    private func killOrphans() -> Bool {
        for (pid, pidfd) in strays where mooring_pidfd_ended(pidfd) { forget(pid) }
        if orphanLabels.isEmpty || hasLeft { return false }
        var found: Set<String> = []
        for name in ProcFile.entries("/proc") {
            guard let pid = Int32(name), pid > 1, let label = ProcessIdentity.label(of: pid),
                orphanLabels.contains(label)
            else { continue }
            found.insert(label)
            if strays[pid] == nil { kill(pid, labelled: label) }
        }
        orphanLabels = found
        return !found.isEmpty
    }

    /// When to look for strays.
    struct Sweep {
        private static let firstDelay: Int64 = 10_000_000
        private static let lastDelay: Int64 = 1_280_000_000

        /// In this turn.
        var isWanted = false
        /// Once more by itself, since one could not be decided on; nil: not before something happens.
        private(set) var repeatAt: Int64?
        private var delay = Sweep.firstDelay

        /// A process has ended, or a child that nobody manages.
        mutating func want() {
            isWanted = true
            delay = Self.firstDelay
        }

        /// Plans the next look, later each time and not for ever.
        mutating func repeatLater(_ isUndecided: Bool, now: Int64) {
            guard isUndecided && delay <= Self.lastDelay else {
                repeatAt = nil
                return
            }
            repeatAt = now + delay
            delay *= 2
        }

        func isDue(now: Int64) -> Bool { isWanted || (repeatAt.map { $0 <= now } ?? false) }
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

    /// Its end is an event, so that its own children, which come to us then, are seen as well.
    ///
    /// - Parameter label: which it must still have; nil: a child, that keeps its pid until it is
    ///   collected, so it is the one that was looked at.
    private func kill(_ pid: Int32, labelled label: String? = nil) {
        let pidfd = mooring_pidfd_open(pid)
        guard pidfd >= 0 else { return }
        if let label, ProcessIdentity.label(of: pid) != label || mooring_pidfd_ended(pidfd) {
            return mooring_close(pidfd)
        }
        _ = mooring_pidfd_signal(pidfd, SIGKILL)
        do {
            try loop.add(pidfd, token: Source.stray.token(UInt64(pid)))
            strays[pid] = pidfd
        } catch {
            // SIGCHLD tells of it as well.
            mooring_close(pidfd)
        }
    }

    private func forget(_ pid: Int32) {
        if let pidfd = strays.removeValue(forKey: pid) { mooring_close(pidfd) }
    }

    /// The children of all threads; see proc(5) on `task/TID/children`.
    private static func children() -> [Int32] {
        ProcFile.entries("/proc/self/task").flatMap { thread -> [Int32] in
            guard let text = ProcFile.text("/proc/self/task/\(thread)/children") else { return [] }
            return text.split(separator: " ").compactMap { Int32($0) }
        }
    }
}
