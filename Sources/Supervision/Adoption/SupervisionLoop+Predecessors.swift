internal import Backends
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Whether the balancer that left a process is alive; its exit is watched then.
    func isShared(_ record: ProcessRecord) -> Bool {
        guard record.isLeft, record.balancer != records.balancer else { return false }
        do {
            return try adoption.predecessors.watch(record.balancer, on: loop)
        } catch {
            // Its requests are then subject to the idle times.
            log.warning("the end of the former balancer cannot be watched: \(error)")
            return false
        }
    }

    /// A former balancer has exited; after the last one no process is shared any more.
    func predecessorEnded(_ pid: Int32) {
        guard adoption.predecessors.ended(pid), adoption.predecessors.isEmpty else { return }
        log.info(
            "the former balancer has finished what it had under way",
            metadata: ["pid": .stringConvertible(pid)])
        for group in groups { group.endSharing(now: now()) }
    }

    /// Informs the groups of processes that have become ready under another balancer.
    func askExpected(now time: Int64) {
        for (key, address) in adoption.expected.ask(now: time) {
            let now = now()
            groups[key.group].listens(key.handle, at: address, now: now)
            groups[key.group].becameReady(key.handle, now: now)
        }
    }
}
