internal import CLinux
internal import Glibc

/// Facts about processes from /proc; see proc(5).
enum ProcessIdentity {
    /// Fields of /proc/PID/stat by number, counted from after the name, which may contain anything.
    private static let firstField = 3
    private static let startTimeField = 22

    /// The unit of times in /proc/PID/stat.
    static var ticksPerSecond: Int64 { Int64(max(sysconf(Int32(_SC_CLK_TCK)), 1)) }

    /// The boot and pid namespace in which this program's pids are valid; nil if /proc is not
    /// mounted.
    static func currentBoot() -> BootIdentity? {
        guard let boot = ProcFile.text("/proc/sys/kernel/random/boot_id") else { return nil }
        var status = stat()
        guard unsafe stat("/proc/self/ns/pid", &status) == 0 else { return nil }
        return BootIdentity(
            bootID: String(boot.prefix { !$0.isWhitespace }), pidNamespace: UInt64(status.st_ino))
    }

    /// This program itself.
    static func ofThisProgram() -> ProcessInstance {
        ProcessInstance(pid: getpid(), startTime: startTime(of: getpid()) ?? 0)
    }

    /// The start time of a process, in clock ticks since boot; nil if the pid does not exist.
    static func startTime(of pid: Int32) -> UInt64? {
        fields(of: pid).flatMap { UInt64($0[startTimeField - firstField]) }
    }

    /// Whether a process with that pid and start time exists, including as a zombie.
    static func exists(_ instance: ProcessInstance) -> Bool {
        instance.pid > 0 && startTime(of: instance.pid) == instance.startTime
    }

    /// The age of a start time, in nanoseconds.
    static func age(ofStart ticks: UInt64) -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &now)
        let tick = 1_000_000_000 / ticksPerSecond
        let (started, isLater) = Int64(clamping: ticks).multipliedReportingOverflow(by: tick)
        let nowInAll = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
        return isLater ? 0 : max(nowInAll - started, 0)
    }

    /// The real user id of a process.
    static func user(of pid: Int32) -> UInt32? { users(of: pid).first }

    /// The user ids of a process: real, effective, saved, and of file access; none when it is gone.
    static func users(of pid: Int32) -> [UInt32] {
        guard let text = ProcFile.text("/proc/\(pid)/status") else { return [] }
        for line in text.split(separator: "\n") where line.hasPrefix("Uid:") {
            return line.split(whereSeparator: \.isWhitespace).dropFirst().compactMap { UInt32($0) }
        }
        return []
    }

    /// How long to wait for the environment of another user's process, in milliseconds.
    private static let environmentPatience = 100

    /// The label that Mooring gave a process or one of its ancestors, from its environment; nil
    /// when that is unreadable, not readable in time, or overwritten.
    static func label(of pid: Int32) -> String? {
        let users = users(of: pid)
        guard !users.isEmpty,
            let environment = HoldableFiles.shared.bytes(
                "/proc/\(pid)/environ", users: users, patience: environmentPatience)
        else { return nil }
        let name = "\(LaunchEnvironment.processVariable)="
        for entry in environment.split(separator: 0) where entry.starts(with: name.utf8) {
            return String(decoding: entry.dropFirst(name.utf8.count), as: UTF8.self)
        }
        return nil
    }

    /// The leader of a session with a label in its environment; nil: there is none.
    static func leader(labelled label: String) -> ProcessInstance? {
        for name in ProcFile.entries("/proc") {
            guard let pid = Int32(name), pid > 1, getsid(pid) == pid,
                Self.label(of: pid) == label, let time = startTime(of: pid)
            else { continue }
            return ProcessInstance(pid: pid, startTime: time)
        }
        return nil
    }

    /// A pidfd of exactly this process; nil when it has exited, even if its pid was reused.
    ///
    /// The pidfd is opened first. If that process still exists after /proc was read, what was read
    /// is about it, since its pid cannot have been reused in between.
    static func open(_ instance: ProcessInstance) -> Int32? {
        guard instance.pid > 1 else { return nil }
        let pidfd = mooring_pidfd_open(instance.pid)
        guard pidfd >= 0 else { return nil }
        if startTime(of: instance.pid) == instance.startTime, !mooring_pidfd_ended(pidfd) {
            return pidfd
        }
        mooring_close(pidfd)
        return nil
    }

    private static func fields(of pid: Int32) -> [Substring]? {
        guard let text = ProcFile.text("/proc/\(pid)/stat"),
            let nameEnd = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: nameEnd)...].split(separator: " ")
        return fields.count > startTimeField - firstField ? fields : nil
    }
}
