internal import CLinux
internal import Glibc
internal import Logging
internal import Reactor

/// Ends processes that are not to outlive this program, when it is killed: `on_exit = "kill"`.
///
/// A process of its own (`moor-guard`), since nothing in this one can act then. Made with the first
/// process that it is needed for.
struct Guardian {
    private var native: mooring_guardian?
    /// Tells when it ends, which it does only if somebody kills it; -1: cannot be told.
    private(set) var pidfd: Int32 = -1

    /// Its pid; nil while there is none.
    var pid: Int32? { native?.pid }

    /// Has a process ended with this program; makes the guardian if there is none.
    mutating func add(_ child: ChildProcess, _ cgroup: Cgroup?) throws(SystemError) {
        let guardian = try running()
        let kill = cgroup?.openKill() ?? -1
        defer { if kill >= 0 { close(kill) } }
        try SystemError.check(
            mooring_guardian_add(guardian.socket, child.pid, child.pidfd, kill), "guardian")
    }

    /// A process has ended, or is not ours any more; harmless for those that were not added.
    ///
    /// Before it is reaped: its number must not be another's while the guardian knows it.
    func remove(_ child: ChildProcess) {
        if let native { _ = mooring_guardian_remove(native.socket, child.pid) }
    }

    /// Nobody is to be ended any more.
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
    /// What a 1 is to be written to for its members to be killed; nil before Linux 5.14.
    fileprivate func openKill() -> Int32? {
        let descriptor = unsafe open("\(path)/cgroup.kill", O_WRONLY | O_CLOEXEC)
        return descriptor >= 0 ? descriptor : nil
    }
}
