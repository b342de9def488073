internal import CLinux
internal import Glibc
internal import Reactor

/// Descendants that left the process group of the process they belong to (a daemon's double fork)
/// come to this program when their parents end, since it is their subreaper; see prctl(2).
extension SupervisionLoop {
    /// Collects strays that have ended, and kills those whose process is gone.
    ///
    /// A stray tells by the label in its environment whose it is; one that has overwritten that is
    /// left alone while Mooring runs (`sparingTheUnknown`), and killed with the rest at the end.
    func sweepStrays(sparingTheUnknown: Bool) {
        wantsSweep = false
        let ownSession = getsid(0)
        let managed = Set(processes.values.filter(\.isUncollected).map(\.child.pid))
        for pid in Self.children() where !managed.contains(pid) {
            // Every process was made leader of a session; children of a library's are in ours.
            if getsid(pid) == ownSession { continue }
            if mooring_wait_reap_pid(pid) == 1 {
                forget(pid)
            } else if strays[pid] == nil, !sparingTheUnknown || isAbandoned(pid) {
                kill(pid)
            }
        }
    }

    private func isAbandoned(_ pid: Int32) -> Bool {
        guard let label = Self.label(of: pid) else { return false }
        return !processes.values.contains { $0.isUncollected && $0.label == label }
    }

    /// Its end is an event, so that its own children, which come to us then, are seen as well.
    private func kill(_ pid: Int32) {
        // A child that has not been collected keeps its pid, so this is the one that was looked at.
        let pidfd = mooring_pidfd_open(pid)
        guard pidfd >= 0 else { return }
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

    private static func label(of pid: Int32) -> String? {
        guard let environment = ProcFile.bytes("/proc/\(pid)/environ") else { return nil }
        let name = "\(LaunchEnvironment.processVariable)="
        for entry in environment.split(separator: 0) where entry.starts(with: name.utf8) {
            return String(decoding: entry.dropFirst(name.utf8.count), as: UTF8.self)
        }
        return nil
    }
}
