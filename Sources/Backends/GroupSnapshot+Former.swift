extension GroupSnapshot {
    /// Merges in a retired group of the same name, so that both are shown as one.
    ///
    /// Its processes are shown as draining; its counters are added.
    package mutating func takeIn(_ former: GroupSnapshot) {
        queueRejectedTotal &+= former.queueRejectedTotal
        queueTimedOutTotal &+= former.queueTimedOutTotal
        sessionsCreatedTotal &+= former.sessionsCreatedTotal
        sessionsMovedTotal &+= former.sessionsMovedTotal
        sessionsLostTotal &+= former.sessionsLostTotal
        sessionsWithoutLeaseTotal &+= former.sessionsWithoutLeaseTotal
        sessionsGivenWayTotal &+= former.sessionsGivenWayTotal
        spawnedTotal &+= former.spawnedTotal
        startFailuresTotal &+= former.startFailuresTotal
        startDurations.add(former.startDurations)
        limitReachedTotal &+= former.limitReachedTotal
        // Mooring does not stop servers, so nothing waits for the sessions there.
        if former.isSpawned {
            sessionsLive += former.sessionsLive
            sessionsUnconfirmed += former.sessionsUnconfirmed
            drainingSessions += former.sessionsLive
        }
        for process in former.processes where former.isSpawned || process.inFlight > 0 {
            takeIn(process)
        }
    }

    /// A server that both configurations contain is shown once.
    private mutating func takeIn(_ process: ProcessSnapshot) {
        let known = processes.firstIndex { !$0.label.isEmpty && $0.label == process.label }
        guard let known else {
            var leaving = process
            if leaving.state == .ready { leaving.state = .draining }
            leaving.transient = false
            return processes.append(leaving)
        }
        processes[known].inFlight += process.inFlight
        processes[known].tunnels += process.tunnels
    }
}
