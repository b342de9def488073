/// The invariants of a group, checked after every change.
extension GroupState {
    /// Traps in debug builds if an invariant is violated.
    func checkInvariants() {
        #if DEBUG
            if let broken = brokenInvariant { preconditionFailure(broken) }
        #endif
    }

    /// The first violated invariant; nil: none.
    var brokenInvariant: String? {
        brokenSettling ?? brokenCount ?? brokenProcess ?? brokenQueue ?? brokenPromise
            ?? brokenLease
    }

    private var brokenSettling: String? {
        guard isStarted || !isSpawned else { return nil }
        if !due.isEmpty { return "the state is not settled: \(due)" }
        if !touched.isEmpty { return "\(touched.count) processes are not scheduled" }
        return nil
    }

    private var brokenCount: String? {
        var counted = Census()
        var countedIncoming = Census()
        var countedOutgoing = Census()
        var total = 0
        for process in processes {
            total += process.inFlight
            switch process.standing {
            case .serving: counted.count(process.phase, 1)
            case .incoming: countedIncoming.count(process.phase, 1)
            case .outgoing: countedOutgoing.count(process.phase, 1)
            }
        }
        if counted != census { return "processes are counted wrongly: \(census) for \(counted)" }
        if countedIncoming != incoming || countedOutgoing != outgoing {
            return "processes beside the serving ones are counted wrongly"
        }
        if total != inFlight { return "\(inFlight) requests in flight, \(total) on processes" }
        if isSpawned && isStarted && census.live > mostProcesses {
            return "\(census.live) processes above the maximum of \(mostProcesses)"
        }
        if incoming.live > 0 && !rollout.isStarting { return "a generation comes in unasked" }
        let gone = processes.count { $0.phase.isGone }
        if gone != freeEntries.count {
            return "\(gone) gone processes, \(freeEntries.count) free entries"
        }
        return nil
    }

    private var brokenProcess: String? {
        for (index, process) in processes.enumerated() {
            let name = "process \(index)"
            // A reload may have lowered the threads of busy servers.
            let most = hasBeenReconfigured && !isSpawned ? Int.max : process.threads
            if !(0...most).contains(process.inFlight) {
                return "\(name) has \(process.inFlight) requests for \(process.threads) threads"
            }
            if !(0...process.inFlight).contains(process.unpinned) {
                return "\(name) has \(process.unpinned) unpinned of \(process.inFlight) requests"
            }
            if process.sessions < 0 || (process.sessions > 0 && !process.phase.holdsSessions) {
                return "\(name) has \(process.sessions) sessions while \(process.phase)"
            }
            if process.queue.count > 0 && !process.phase.serves {
                return "\(name) has waiters while \(process.phase)"
            }
            if process.queue.count > 0 && process.inFlight < process.slots && !isShuttingDown {
                return "\(name) has waiters and a free slot"
            }
            if process.queue.count > policy.processQueueLimit && !hasBeenReconfigured {
                return "\(name) has \(process.queue.count) waiters"
            }
            if case .draining(let reason) = process.phase, process.keepUntil == nil,
                process.isUnused(at: now), isSpawned || reason != .unhealthy
            {
                return "\(name) is drained and not stopped"
            }
        }
        return nil
    }

    private var brokenQueue: String? {
        var linked = 0
        var claimants = 0
        var sessionless = 0
        for (list, name) in queues {
            var next = list.first
            var count = 0
            var since = MonotonicInstant(nanoseconds: .min)
            while let waiter = next {
                if waiters[waiter].queue != name { return "a waiter stands in two queues" }
                if waiters[waiter].since < since {
                    return "a later waiter stands before an earlier"
                }
                if name == .group && waiters[waiter].request.claim != nil { claimants += 1 }
                if name == .group && waiters[waiter].request.isSessionless { sessionless += 1 }
                since = waiters[waiter].since
                count += 1
                if count > list.count { return "a queue has more waiters than it counts" }
                next = waiters[waiter].next
            }
            if count != list.count { return "a queue has fewer waiters than it counts" }
            linked += count
        }
        for process in processes {
            if let broken = waiters.brokenTurn(process.turns, count: process.queue.count) {
                return broken
            }
        }
        if linked != waiters.count { return "\(waiters.count) waiters, \(linked) in queues" }
        if claimants != claimantsWaiting {
            return "\(claimantsWaiting) waiters claim a session, not \(claimants)"
        }
        if sessionless != sessionlessWaiting {
            return "\(sessionlessWaiting) waiters need only a slot, not \(sessionless)"
        }
        if queue.count > policy.queueLimit && !hasBeenReconfigured {
            return "\(queue.count) waiters in the group's queue"
        }
        return nil
    }

    private var queues: [(WaiterQueue, Waiter.Queue)] {
        [(queue, .group)]
            + processes.indices.map { (processes[$0].queue, .process(UInt32($0))) }
    }

    /// What waiters and `min` can rely on.
    private var brokenPromise: String? {
        if isShuttingDown { return nil }
        if queue.count > 0 && !isGateClosed && withheld == nil
            && processes.contains(where: { hasRoom($0) })
        {
            return "a request waits while a process has room"
        }
        if sessionlessWaiting > 0 && processes.contains(where: { hasRoomButPlaces($0) }) {
            return "a request waits for no more than a slot while a process has one"
        }
        if queue.count > 0 && isHopeless { return "requests wait for nothing" }
        let mayBeBelow =
            backoff.inARow > 0 || census.live >= policy.maximum || budget != nil || isRetired
            || (!isProven && census.starting >= Backoff.failingAfter)
        if isSpawned && isBelowMinimum && !mayBeBelow {
            return "\(census.starting + census.ready) processes below the minimum"
        }
        return nil
    }

    /// Checked only for small tables, since it visits every lease.
    private var brokenLease: String? {
        if leases.checkCount > leases.placeCount { return "a lease has two checks" }
        if leases.count > 512 { return nil }
        var sessions = [Int](repeating: 0, count: processes.count)
        var active = sessions
        var unconfirmed = sessions
        if let broken = brokenGivingWay { return broken }
        for lease in leases.all {
            if !lease.hasCheck { return "a lease is never looked at" }
            guard let entry = find(lease.process),
                processes[Int(entry)].phase.holdsSessions
            else { continue }
            sessions[Int(entry)] += 1
            active[Int(entry)] += lease.active
            if !lease.isConfirmed { unconfirmed[Int(entry)] += 1 }
        }
        for (index, process) in processes.enumerated() {
            if process.sessions != sessions[index] {
                return "process \(index) counts \(process.sessions) of \(sessions[index]) leases"
            }
            if process.unconfirmed != unconfirmed[index] {
                return "process \(index) counts \(process.unconfirmed) unconfirmed sessions"
            }
            if active[index] > process.inFlight + process.queue.count {
                return "leases of process \(index) have more requests than it has"
            }
            if policy.sessionsPerProcess > 0 && process.phase.isReady && !hasBeenReconfigured
                && process.sessions + process.unpinned > policy.sessionsPerProcess
            {
                return "process \(index) has \(process.sessions) sessions"
            }
        }
        return nil
    }
}
