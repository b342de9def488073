internal import CLinux
internal import Logging
internal import Reactor

/// Balancers that have left their processes to this one and still finish requests on them.
///
/// Which ones is their secret, so until they end every process that came from them counts as in use.
extension SupervisionLoop {
    /// Whether the balancer that left a process lives; its end is watched for then.
    func isShared(_ record: ProcessRecord) -> Bool {
        guard record.isLeft, record.balancer != records.balancer else { return false }
        if let pidfd = predecessors[record.balancer.pid] { return !mooring_pidfd_ended(pidfd) }
        guard let pidfd = ProcessIdentity.open(record.balancer) else { return false }
        do {
            try loop.add(
                pidfd, token: Source.predecessor.token(UInt64(record.balancer.pid)))
        } catch {
            // Its requests are at the mercy of the idle times, as without the watch.
            log.warning("the end of the former balancer cannot be watched: \(error)")
            mooring_close(pidfd)
            return false
        }
        predecessors[record.balancer.pid] = pidfd
        return true
    }

    /// A former balancer has ended; with the last of them nothing is shared any more.
    func predecessorEnded(_ pid: Int32) {
        guard let pidfd = predecessors.removeValue(forKey: pid) else { return }
        mooring_close(pidfd)
        guard predecessors.isEmpty else { return }
        log.info(
            "the former balancer has finished what it had under way",
            metadata: ["pid": .stringConvertible(pid)])
        for group in groups { group.endSharing(now: now()) }
    }
}
