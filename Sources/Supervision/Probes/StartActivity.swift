internal import Backends
internal import Glibc
internal import Reactor

/// Which starts are active and which only sleep, by the CPU time of their processes.
///
/// A start that sleeps (waiting for a database, a lock, another machine) does not delay other
/// starts.
struct StartActivity {
    private static let period: Int64 = 1_000_000_000
    /// A start that uses no more CPU time in a period is sleeping: two ticks of the kernel's clock.
    private static let most: Int64 = 20_000_000
    /// The share of this thread's time that measuring may take.
    private static let share: Int64 = 50

    private struct Reading {
        var cpuTime: Int64
        var sleeps = false
    }

    /// When to measure next; valid while a process is starting.
    private(set) var measureAt = Int64.min
    private var readings: [UInt64: Reading] = [:]

    init() {}

    /// A process begins to start: measuring waits a moment, during which others may start too.
    mutating func begin(now: Int64) {
        if measureAt <= now { measureAt = now + Self.period }
    }

    /// Records the CPU time that all starts have used so far, in nanoseconds by the processes' ids.
    ///
    /// One that cannot be measured is missing, and counts as active.
    ///
    /// - Returns: the changes: whether a start sleeps.
    mutating func take(
        _ cpuTimes: [UInt64: Int64], spent: Int64, now: Int64
    ) -> [(id: UInt64, sleeps: Bool)] {
        measureAt = now + max(Self.period, spent * Self.share)
        var news: [(id: UInt64, sleeps: Bool)] = []
        for (id, before) in readings where before.sleeps && cpuTimes[id] == nil {
            news.append((id, false))
        }
        var readings: [UInt64: Reading] = [:]
        for (id, cpuTime) in cpuTimes {
            var reading = Reading(cpuTime: cpuTime)
            if let before = self.readings[id] {
                // Less than before: a member has exited that was not reaped by another member.
                let used = cpuTime &- before.cpuTime
                reading.sleeps = 0...Self.most ~= used
                if reading.sleeps != before.sleeps { news.append((id, reading.sleeps)) }
            }
            readings[id] = reading
        }
        self.readings = readings
        return news
    }
}

extension SupervisionLoop {
    /// When the starts are measured next; nil: none is in progress.
    var nextStartMeasurement: Int64? {
        processes.values.contains(where: \.isStarting) ? probes.startActivity.measureAt : nil
    }

    /// Informs the groups which of their starts only sleep, if it is time to check.
    func measureStartsIfDue(now: Int64) {
        guard let next = nextStartMeasurement, next <= now else { return }
        let starting = processes.values.filter(\.isStarting)
        let cpuTimes = Self.cpuTimes(of: starting)
        let end = Clock.monotonic()
        for (id, sleeps) in probes.startActivity.take(cpuTimes, spent: end - now, now: end) {
            guard let process = processes[id] else { continue }
            groups[process.key.group].startSleeps(
                process.key.handle, sleeps, now: MonotonicInstant(nanoseconds: end))
        }
    }

    /// Starts with more members are not measured: they count as active.
    private static let mostMembers = 256

    /// By cgroup, or else by process group and session: reading these never blocks on the
    /// processes.
    private static func cpuTimes(of processes: [ManagedProcess]) -> [UInt64: Int64] {
        var times: [UInt64: Int64] = [:]
        var members: [Int32: [Int32]] = [:]
        for process in processes {
            if let cgroup = process.cgroup {
                times[process.id] = cgroup.cpuTime
            } else {
                members[process.child.pid] = []
            }
        }
        if members.isEmpty { return times }
        for name in ProcFile.entries("/proc") {
            guard let pid = Int32(name) else { continue }
            let group = getpgid(pid)
            let leader = members[group] == nil ? getsid(pid) : group
            members[leader]?.append(pid)
        }
        for process in processes where process.cgroup == nil {
            guard let pids = members[process.child.pid], pids.count <= mostMembers else { continue }
            times[process.id] = pids.reduce(0) { $0 &+ (ProcessUsage.cpuTime(of: $1) ?? 0) }
        }
        return times
    }
}
