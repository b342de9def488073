/// Sessions: the leases that processes are kept for.
extension GroupState {
    /// The live lease of a claimed session.
    ///
    /// One whose time is over, and that `advance` has not come to yet, ends.
    mutating func liveLease(of claim: AdmissionRequest.Claim?) -> UInt32? {
        guard let claim, let index = leases.find(claim.session) else { return nil }
        if isLive(index) { return index }
        // One that is ending still has requests.
        if !leases[index].isEnding { endLease(index) }
        return nil
    }

    func isLive(_ index: UInt32) -> Bool {
        leases[index].isLive(at: now)
            || !leases[index].isEnding && isShared(leases[index].process)
    }

    /// Takes part in a session on a process, and begins it if there is none; nil: no lease.
    ///
    /// A lease does not end while somebody takes part; its time runs from when the last one leaves.
    mutating func joinLease(_ intent: Intent, at place: UInt32) -> LeaseReference? {
        if let known = intent.lease, let index = leases.find(known) {
            leases.join(index)
            return known
        }
        let idle = intent.placed == .kept ? idleOfReturning(to: place) : policy.sessionIdle
        return intent.session.flatMap {
            joinLease($0, at: place, idle: idle, isConfirmed: intent.isConfirmed)
        }
    }

    /// How long a session may be idle of which only its process is known: as long as any there.
    func idleOfReturning(to place: UInt32) -> Interval {
        max(policy.sessionIdle, processes[Int(place)].sessionHold)
    }

    private mutating func joinLease(
        _ session: SessionID, at place: UInt32, idle: Interval, isConfirmed: Bool
    ) -> LeaseReference? {
        let handle = handle(place)
        if let index = leases.find(session) {
            if leases[index].process != handle {
                leaveProcess(ofLease: index)
                leases.move(index, to: handle, now: now)
                enterProcess(place, lease: index)
            }
            leases.join(index)
            return leases.reference(index)
        }
        guard
            let index = leases.insert(
                session, on: handle, idle: idle,
                unconfirmed: isConfirmed ? nil : policy.unconfirmed, now: now)
        else {
            totals.sessionsWithoutLease += 1
            return nil
        }
        enterProcess(place, lease: index)
        leases.join(index)
        return leases.reference(index)
    }

    /// Counts a lease on the process that it names.
    private mutating func enterProcess(_ place: UInt32, lease index: UInt32) {
        processes[Int(place)].sessions += 1
        if !leases[index].isConfirmed { processes[Int(place)].unconfirmed += 1 }
        noteSessions(at: place)
        noteLease()
    }

    /// The client has sent the cookie: the session lives as long as any.
    mutating func confirm(_ index: UInt32?, by claim: AdmissionRequest.Claim?) {
        guard let index, claim?.isFromClient == true, !leases[index].isConfirmed else { return }
        leases.confirm(index)
        guard let place = find(leases[index].process),
            processes[Int(place)].phase.holdsSessions
        else { return }
        processes[Int(place)].unconfirmed -= 1
        noteSessions(at: place)
    }

    /// A request of a session has ended, or left the queue of its process.
    mutating func leaveLease(_ reference: LeaseReference) {
        guard let index = leases.find(reference) else { return }
        leases.leave(index, now: now)
        if leases[index].isEnding && leases[index].active == 0 { endLease(index) }
    }

    mutating func releaseLease(of grant: Grant) {
        if let reference = lease(of: grant) { leaveLease(reference) }
    }

    /// Nil when it has ended, or there was none.
    func lease(of grant: Grant) -> LeaseReference? {
        if let reference = grant.lease { return leases.find(reference).map { _ in reference } }
        // A session that was pinned after the grant.
        guard let session = grant.session, let index = leases.find(session),
            leases[index].process == grant.process
        else { return nil }
        return leases.reference(index)
    }

    mutating func endLease(_ index: UInt32) {
        leaveProcess(ofLease: index)
        leases.remove(index)
    }

    mutating func leaveProcess(ofLease index: UInt32) {
        // A process that is being stopped has given up its sessions already.
        guard let place = find(leases[index].process),
            processes[Int(place)].phase.holdsSessions
        else { return }
        processes[Int(place)].sessions -= 1
        if !leases[index].isConfirmed { processes[Int(place)].unconfirmed -= 1 }
        noteSessions(at: place)
        touch(place)
    }

    mutating func pin(_ session: SessionID, of grant: Grant) {
        guard let place = find(grant.process), processes[Int(place)].phase.serves,
            grant.reservesPlace, leases.find(session) == nil
        else { return }
        processes[Int(place)].unpinned = max(0, processes[Int(place)].unpinned - 1)
        _ = joinLease(session, at: place, idle: policy.sessionIdle, isConfirmed: false)
        totals.sessionsCreated += 1
    }

    mutating func endSession(_ session: SessionID) {
        guard let index = leases.find(session) else { return }
        // Its place is free when its last request has ended, not before.
        if leases[index].active > 0 {
            leases[index].isEnding = true
        } else {
            endLease(index)
        }
    }

    mutating func holdSession(
        _ session: SessionID, idle: Interval
    ) {
        guard let index = leases.find(session), leases[index].isLive(at: now) else { return }
        leases[index].idle = max(leases[index].idle, min(idle, Self.longestInterval))
        guard let place = find(leases[index].process),
            processes[Int(place)].sessionHold < leases[index].idle
        else { return }
        processes[Int(place)].sessionHold = leases[index].idle
        if isSpawned {
            orders.supervision.append(.rememberHold(handle(place), leases[index].idle))
        }
    }

    /// Ends the leases whose time is over.
    mutating func endIdleLeases() {
        while let index = leases.nextEnded(now: now) {
            if isShared(leases[index].process) {
                leases.renew(index, now: now)
            } else {
                endLease(index)
            }
        }
    }

    // MARK: What an adoption has to know

    private mutating func noteSessions(at place: UInt32) {
        guard policy.sessionsPerProcess > 0, isSpawned else { return }
        processes[Int(place)].isUnremembered = true
        due.insert(Due(.record))
    }

    /// Orders that the sessions which hold a place are kept, where they have changed.
    mutating func recordSessions() {
        var sessions: [ProcessHandle: RememberedSessions] = [:]
        for index in processes.indices where processes[index].isUnremembered {
            processes[index].isUnremembered = false
            if processes[index].phase.holdsSessions {
                sessions[handle(UInt32(index))] = RememberedSessions()
            }
        }
        if sessions.isEmpty { return }
        for lease in leases.all {
            if lease.isConfirmed {
                sessions[lease.process]?.confirmed.append(lease.session)
            } else {
                sessions[lease.process]?.unconfirmed.append(lease.session)
            }
        }
        // In the order of places, so that runs can be repeated.
        for (process, list) in sessions.sorted(by: { $0.key.index < $1.key.index }) {
            orders.supervision.append(.remember(process, list))
        }
    }

    /// A process can serve its sessions no more; their leases stay, to tell the users who return.
    mutating func loseSessions(at place: UInt32) {
        let count = processes[Int(place)].sessions
        processes[Int(place)].sessions = 0
        processes[Int(place)].unconfirmed = 0
        guard count > 0 else { return }
        totals.sessionsLost += UInt64(count)
        orders.events.append(.sessionsLost(handle(place), count: count))
    }
}
