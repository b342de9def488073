internal import CLinux
internal import Glibc
internal import Reactor

/// Descendants that have left the process they belong to: those that were killed and are not
/// collected yet, and when to look for more.
struct Strays {
    /// How long the last ones are waited for.
    private static let patience: Int64 = 1_000_000_000

    /// Pidfds by pid; children keep their pids until they are collected.
    private var pidfds: [Int32: Int32] = [:]
    /// Of ended processes whose descendants may live on as another program's children.
    private var orphanLabels: Set<String> = []
    /// When to look.
    var sweep = Sweep()
    /// Until when the last ones are waited for; set once all processes are gone.
    private(set) var waitsUntil: Int64?

    var isEmpty: Bool { pidfds.isEmpty }
    var count: Int { pidfds.count }

    func contains(_ pid: Int32) -> Bool { pidfds[pid] != nil }

    /// Takes a process that has been killed, or that is somebody else's to end.
    ///
    /// Its end is an event, so that its own children, which come to us then, are seen as well.
    mutating func follow(_ pid: Int32, pidfd: Int32, on loop: EventLoop) {
        pidfds[pid] = pidfd
        do {
            try loop.add(pidfd, token: EventSource.stray.token(UInt64(pid)))
        } catch {
            // SIGCHLD tells of it as well.
        }
    }

    /// Kills a process and follows it.
    ///
    /// - Parameter label: which it must still have; nil: a child, that keeps its pid until it is
    ///   collected, so it is the one that was looked at.
    mutating func kill(_ pid: Int32, labelled label: String? = nil, on loop: EventLoop) {
        let pidfd = mooring_pidfd_open(pid)
        guard pidfd >= 0 else { return }
        if let label, ProcessIdentity.label(of: pid) != label || mooring_pidfd_ended(pidfd) {
            return mooring_close(pidfd)
        }
        _ = mooring_pidfd_signal(pidfd, SIGKILL)
        follow(pid, pidfd: pidfd, on: loop)
    }

    /// It has been collected, by whoever had to.
    mutating func forget(_ pid: Int32) {
        if let pidfd = pidfds.removeValue(forKey: pid) { mooring_close(pidfd) }
    }

    /// The descendants of a process that this program has not started come to another when their
    /// parents end: they are looked for among all processes, until a look finds none.
    mutating func seekOrphans(of label: String) {
        orphanLabels.insert(label)
        sweep.want()
    }

    /// Lets go of those that have ended and were not ours to collect.
    mutating func forgetEnded() {
        for (pid, pidfd) in pidfds where mooring_pidfd_ended(pidfd) { forget(pid) }
    }

    /// Kills the orphans that are found now.
    ///
    /// - Returns: whether another look is due.
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

    /// Whether the last ones have had their time, which begins with the first question.
    mutating func haveHadTheirTime(now: Int64) -> Bool {
        let until = waitsUntil ?? now + Self.patience
        waitsUntil = until
        return now >= until
    }

    /// At the end of the loop.
    mutating func close() { for pid in Array(pidfds.keys) { forget(pid) } }
}

/// When to look for strays.
struct Sweep {
    private static let firstDelay: Int64 = 10_000_000
    private static let lastDelay: Int64 = 1_280_000_000

    /// In this turn.
    private var isWanted = false
    /// Once more by itself, since one could not be decided on; nil: not before something happens.
    private(set) var repeatAt: Int64?
    private var delay = Sweep.firstDelay

    /// A process has ended, or a child that nobody manages.
    mutating func want() {
        isWanted = true
        delay = Self.firstDelay
    }

    /// A look begins.
    mutating func begin() { isWanted = false }

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
