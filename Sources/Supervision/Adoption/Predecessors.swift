internal import CLinux
internal import Reactor

/// Balancers that have left their processes to this one and still finish requests on them.
///
/// Which processes are busy is unknown here, so until they exit, all that came from them count as
/// in use.
struct Predecessors {
    /// Pidfds by pid.
    private var pidfds: [Int32: Int32] = [:]

    var isEmpty: Bool { pidfds.isEmpty }

    /// Watches for the exit of a balancer.
    ///
    /// - Returns: whether it is alive.
    /// - Throws: when it is alive but cannot be watched.
    mutating func watch(
        _ balancer: ProcessInstance, on loop: EventLoop
    ) throws(SystemError) -> Bool {
        if let pidfd = pidfds[balancer.pid] { return !mooring_pidfd_ended(pidfd) }
        guard let pidfd = ProcessIdentity.open(balancer) else { return false }
        do {
            try loop.add(pidfd, token: EventSource.predecessor.token(UInt64(balancer.pid)))
        } catch {
            mooring_close(pidfd)
            throw error
        }
        pidfds[balancer.pid] = pidfd
        return true
    }

    /// A balancer has exited; false: that is known already.
    mutating func ended(_ pid: Int32) -> Bool {
        guard let pidfd = pidfds.removeValue(forKey: pid) else { return false }
        mooring_close(pidfd)
        return true
    }
}
