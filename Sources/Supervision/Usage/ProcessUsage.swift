internal import Glibc

/// The current resource usage of one process group.
///
/// From /proc/PID/stat; see proc(5).
package struct ProcessUsage: Equatable, Sendable {
    /// User and system time of the members and of children that they have reaped.
    package var cpuSeconds: Double
    /// Resident memory; pages shared by members count once for each.
    package var residentBytes: Int64

    package init(cpuSeconds: Double, residentBytes: Int64) {
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
    }

    /// Sums up every process group of the machine in `leaders`; those gone are missing.
    static func ofGroups(_ leaders: Set<Int32>) -> [Int32: ProcessUsage] {
        guard !leaders.isEmpty else { return [:] }
        let ticks = Double(ProcessIdentity.ticksPerSecond)
        var usage: [Int32: ProcessUsage] = [:]
        for name in ProcFile.entries("/proc") {
            guard let pid = Int32(name), let text = ProcFile.text("/proc/\(pid)/stat"),
                let fields = Fields(stat: text), leaders.contains(fields.group)
            else { continue }
            var sum = usage[fields.group] ?? ProcessUsage(cpuSeconds: 0, residentBytes: 0)
            sum.cpuSeconds += Double(fields.ticks) / ticks
            sum.residentBytes += fields.residentPages &* pageSize
            usage[fields.group] = sum
        }
        return usage
    }

    /// User and system time of a process and of children that it has reaped, in nanoseconds; nil
    /// when it is gone.
    static func cpuTime(of pid: Int32) -> Int64? {
        guard let text = ProcFile.text("/proc/\(pid)/stat"), let fields = Fields(stat: text) else {
            return nil
        }
        let tick = 1_000_000_000 / ProcessIdentity.ticksPerSecond
        return Int64(clamping: fields.ticks).multipliedReportingOverflow(by: tick).partialValue
    }

    /// The members of process groups, by their leaders.
    static func members(ofGroups leaders: Set<Int32>) -> [Int32: [Int32]] {
        guard !leaders.isEmpty else { return [:] }
        var members: [Int32: [Int32]] = [:]
        for name in ProcFile.entries("/proc") {
            guard let pid = Int32(name) else { continue }
            let group = getpgid(pid)
            if leaders.contains(group) { members[group, default: []].append(pid) }
        }
        return members
    }

    /// In bytes.
    static var pageSize: Int64 { Int64(max(sysconf(Int32(_SC_PAGESIZE)), 1)) }

    private struct Fields {
        var group: Int32
        var ticks: UInt64
        var residentPages: Int64

        /// The name in parentheses may contain anything, so fields are counted from the last one.
        init?(stat: String) {
            guard let nameEnd = stat.lastIndex(of: ")") else { return nil }
            // state(3) ppid pgrp(5) … utime(14) stime cutime cstime(17) … rss(24)
            let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
            guard fields.count > 21, let group = Int32(fields[2]),
                let resident = Int64(fields[21])
            else { return nil }
            self.group = group
            ticks = fields[11...14].reduce(0) { $0 &+ (UInt64($1) ?? 0) }
            residentPages = resident
        }
    }
}
