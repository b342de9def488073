internal import CLinux
internal import Glibc

/// The limit of open files (RLIMIT_NOFILE).
package enum OpenFiles {
    /// The highest limit that this program can set.
    package static var hardLimit: Int { Int(clamping: limits.rlim_max) }

    /// The limit of processes without `rlimits.nofile`; read before `raise`.
    package static var limitOfProcesses: Int { Int(clamping: limits.rlim_cur) }

    private static var limits: rlimit {
        var limit = rlimit(rlim_cur: 1024, rlim_max: 1024)
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return limit
    }

    /// Raises the soft limit to the hard one.
    ///
    /// Processes keep the soft limit that Mooring started with, since programs that use select(2)
    /// fail above 1024 (getrlimit(2)).
    ///
    /// Call once, before anything is started.
    ///
    /// - Returns: the current limit.
    package static func raise() -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
        let soft = limit.rlim_cur
        if soft < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            if unsafe setrlimit(resource, &limit) == 0 {
                mooring_keep_open_files(UInt64(soft))
            } else {
                limit.rlim_cur = soft
            }
        }
        return Int(clamping: limit.rlim_cur)
    }
}
