internal import CLinux
internal import Glibc
internal import Logging
internal import Reactor

/// Kills processes that must not outlive this program, when the program is killed: `on_exit =
/// "kill"`.
///
/// A separate process (`moor-guard`), since this one cannot act then. Created with the first
/// process that needs it.
struct Guardian {
    private var native: mooring_guardian?
    /// Reports its exit, which happens only if it is killed; -1: cannot be watched.
    private(set) var pidfd: Int32 = -1

    /// Its pid; nil while there is none.
    var pid: Int32? { native?.pid }

    /// Registers a process to be killed with this program; starts the guardian if there is none.
    mutating func add(_ child: ChildProcess, _ cgroup: Cgroup?) throws(SystemError) {
        let guardian = try running()
        let kill = cgroup?.openKill() ?? -1
        defer { if kill >= 0 { close(kill) } }
        try SystemError.check(
            mooring_guardian_add(guardian.socket, child.pid, child.pidfd, kill), "guardian")
    }

    /// A process has exited, or was released; harmless for those that were not added.
    ///
    /// Call it before the process is reaped: its pid must not be reused while the guardian knows
    /// it.
    func remove(_ child: ChildProcess) {
        if let native { _ = mooring_guardian_remove(native.socket, child.pid) }
    }

    /// No process needs the guardian any more.
    mutating func dismiss() {
        if let native { mooring_guardian_dismiss(native) }
        if pidfd >= 0 { close(pidfd) }
        native = nil
        pidfd = -1
    }

    private mutating func running() throws(SystemError) -> mooring_guardian {
        if let native { return native }
        let started = mooring_guardian_start()
        try SystemError.check(started.socket, "guardian")
        native = started
        pidfd = mooring_pidfd_open(started.pid)
        return started
    }
}

extension Cgroup {
    /// A descriptor to which writing 1 kills the members; nil before Linux 5.14.
    fileprivate func openKill() -> Int32? {
        let descriptor = unsafe open("\(path)/cgroup.kill", O_WRONLY | O_CLOEXEC)
        return descriptor >= 0 ? descriptor : nil
    }
}
