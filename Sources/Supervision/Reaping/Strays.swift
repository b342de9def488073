internal import CLinux
internal import Glibc
internal import Reactor

/// Descendants that have left their process: those killed but not reaped yet, and when to search
/// for more.
struct Strays {
    /// How long the shutdown waits for the last ones.
    private static let patience: Int64 = 1_000_000_000

    /// Pidfds by pid; children keep their pids until they are reaped.
    private var pidfds: [Int32: Int32] = [:]
    /// Labels of exited processes whose descendants may survive as another program's children.
    private var orphanLabels: Set<String> = []
    /// When to search.
    var sweep = Sweep()
    /// How long to wait for the last ones; set once all processes are gone.
    private(set) var waitsUntil: Int64?

    var isEmpty: Bool { pidfds.isEmpty }
    var count: Int { pidfds.count }

    func contains(_ pid: Int32) -> Bool { pidfds[pid] != nil }

    /// Watches a process that was killed, or that another balancer manages.
    ///
    /// Its exit is an event, so that its own children, which are then reparented to us, are noticed
    /// as well.
    mutating func follow(_ pid: Int32, pidfd: Int32, on loop: EventLoop) {
        pidfds[pid] = pidfd
        do {
            try loop.add(pidfd, token: EventSource.stray.token(UInt64(pid)))
        } catch {
            // SIGCHLD reports its exit as well.
        }
    }

    /// Kills a process and watches it.
    ///
    /// - Parameter label: the label that it must still have; nil: a child, whose pid stays valid
    ///   until it is reaped.
    mutating func kill(_ pid: Int32, labelled label: String? = nil, on loop: EventLoop) {
        let pidfd = mooring_pidfd_open(pid)
        guard pidfd >= 0 else { return }
        if let label, ProcessIdentity.label(of: pid) != label || mooring_pidfd_ended(pidfd) {
            return mooring_close(pidfd)
        }
        _ = mooring_pidfd_signal(pidfd, SIGKILL)
        follow(pid, pidfd: pidfd, on: loop)
    }

    /// It was reaped, by us or by its parent.
    mutating func forget(_ pid: Int32) {
        if let pidfd = pidfds.removeValue(forKey: pid) { mooring_close(pidfd) }
    }

    /// Descendants of a process that this program did not start are reparented to another process:
    /// they are searched among all processes, until a search finds none.
    mutating func seekOrphans(of label: String) {
        orphanLabels.insert(label)
        sweep.want()
    }

    /// Forgets those that have exited and are not ours to reap.
    mutating func forgetEnded() {
        for (pid, pidfd) in pidfds where mooring_pidfd_ended(pidfd) { forget(pid) }
    }

    /// Kills the orphans found now.
    ///
    /// - Returns: whether another search is due.
    mutating func killOrphans(on loop: EventLoop) -> Bool {
        if orphanLabels.isEmpty { return false }
        var found: Set<String> = []
        for name in ProcFile.entries("/proc") {
            guard let pid = Int32(name), pid > 1, let label = ProcessIdentity.label(of: pid),
                orphanLabels.contains(label)
            else { continue }
            found.insert(label)
            if !contains(pid) { kill(pid, labelled: label, on: loop) }
        }
        orphanLabels = found
        return !found.isEmpty
    }

    /// Whether the time for the last ones is over; it begins with the first call.
    mutating func haveHadTheirTime(now: Int64) -> Bool {
        let until = waitsUntil ?? now + Self.patience
        waitsUntil = until
        return now >= until
    }

    /// At the end of the loop.
    mutating func close() { for pid in Array(pidfds.keys) { forget(pid) } }
}

/// When to search for strays.
struct Sweep {
    private static let firstDelay: Int64 = 10_000_000
    private static let lastDelay: Int64 = 1_280_000_000

    /// Search in this turn.
    private var isWanted = false
    /// Search again later, since one was undecided; nil: only after an event.
    private(set) var repeatAt: Int64?
    private var delay = Sweep.firstDelay

    /// A process has exited, or a child that is not managed.
    mutating func want() {
        isWanted = true
        delay = Self.firstDelay
    }

    /// A search begins.
    mutating func begin() { isWanted = false }

    /// Schedules the next search, at growing intervals and not for ever.
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
