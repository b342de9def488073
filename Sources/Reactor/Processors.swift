internal import Glibc

/// The processors of the machine.
package enum Processors {
    /// Cores that this process may run on (sched_getaffinity(2) by way of sysconf(3)), at least 1.
    package static var count: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
