internal import AdminAPI
internal import Glibc
internal import Supervision

extension OwnUsageSnapshot {
    /// The current resource usage of this program, without its child processes.
    ///
    /// Unknown values stay 0.
    static func now() -> OwnUsageSnapshot {
        var own = OwnUsageSnapshot()
        var usage = rusage()
        if unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            own.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        let pages = (ProcFile.text("/proc/self/statm") ?? "").split(separator: " ")
        if pages.count > 1 {
            let size = UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 1))
            own.virtualBytes = (UInt64(pages[0]) ?? 0) &* size
            own.residentBytes = (UInt64(pages[1]) ?? 0) &* size
        }
        own.threads = ProcFile.directories("/proc/self/task").count
        // One descriptor is that of the reading itself; `.` and `..` are entries too.
        own.openDescriptors = max(ProcFile.entries("/proc/self/fd").count - 3, 0)
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            limit.rlim_cur != rlim_t.max
        {
            own.descriptorLimit = UInt64(limit.rlim_cur)
        }
        return own
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }
}
