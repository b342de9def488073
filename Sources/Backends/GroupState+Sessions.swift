/// Sessions: the leases that keep processes alive.
extension GroupState {
    /// The live lease of a claimed session.
    ///
    /// Ends a lease whose time is over if `advance` has not done so yet.
    mutating func liveLease(of claim: AdmissionRequest.Claim?) -> UInt32? {
        guard let claim, let index = leases.find(claim.session) else { return nil }
        if isLive(index) { return index }
        // A lease that is ending still has requests.
        if !leases[index].isEnding { endLease(index) }
        return nil
    }

    /// Whether a session lives, which it does until its lease is due for collection.
    func isLive(_ index: UInt32) -> Bool {
        if leases[index].isLive(at: now) { return true }
        return !leases[index].isEnding
            && (now < collection(of: leases[index].endsAt) || isShared(leases[index].process))
    }

    /// Takes part in a session on a process, and begins it if there is none; nil: no lease.
    ///
    /// A lease does not end while a request takes part; its idle time starts when the last one
    /// leaves.
    mutating func joinLease(_ intent: Intent, at entry: UInt32) -> LeaseReference? {
        if let known = intent.lease, let index = leases.find(known) {
            leases.join(index)
            return known
        }
        let idle = intent.placed == .kept ? idleOfReturning(to: entry) : policy.sessionIdle
        return intent.session.flatMap {
            joinLease(
                $0, at: entry, idle: idle, isConfirmed: intent.isConfirmed,
                owed: intent.placed == .kept ? nil : intent.affinity)
        }
    }

    /// The idle time of a session that is known only by its process: as long as any session there.
    func idleOfReturning(to entry: UInt32) -> Interval {
        max(policy.sessionIdle, processes[Int(entry)].sessionHold)
    }

    private mutating func joinLease(
        _ session: SessionID, at entry: UInt32, idle: Interval, isConfirmed: Bool,
        owed: Grant.Affinity?
    ) -> LeaseReference? {
        let handle = handle(entry)
        if let index = leases.find(session) {
            if leases[index].process != handle {
                leaveProcess(ofLease: index)
                leases.move(index, to: handle, owed: owed, now: now)
                enterProcess(entry, lease: index)
            }
            leases.join(index)
            return leases.reference(index)
        }
        // A session that a user names may begin again.
        ended.remove(session)
        guard
            let index = leases.insert(
                session, on: handle, idle: idle,
                unconfirmed: isConfirmed ? nil : policy.unconfirmed, owed: owed, now: now)
        else {
            totals.sessionsWithoutLease += 1
            return nil
        }
        enterProcess(entry, lease: index)
        leases.join(index)
        return leases.reference(index)
    }

    /// Counts a lease on its process.
    private mutating func enterProcess(_ entry: UInt32, lease index: UInt32) {
        processes[Int(entry)].sessions += 1
        if !leases[index].isConfirmed { processes[Int(entry)].unconfirmed += 1 }
        noteSessions(at: entry)
        noteLease()
    }

    /// The client has sent the cookie: the session gets the full idle time.
    mutating func confirm(_ index: UInt32?, by claim: AdmissionRequest.Claim?) {
        guard let index, claim?.isFromClient == true, !leases[index].isConfirmed else { return }
        leases.confirm(index)
        guard let entry = find(leases[index].process),
            processes[Int(entry)].phase.holdsSessions
        else { return }
        processes[Int(entry)].unconfirmed -= 1
        noteSessions(at: entry)
    }

    /// A request of a session has ended, or left the queue of its process.
    ///
    /// A session that began in it ends if its client got no cookie: its place would stay
    /// occupied.
    ///
    /// - Parameter isAnswered: whether a response of the process has reached the client.
    mutating func leaveLease(_ reference: LeaseReference, isAnswered: Bool) {
        guard let index = leases.find(reference) else { return }
        leases.leave(index, now: now)
        if isAnswered { leases[index].owed = nil }
        guard leases[index].active == 0 else { return }
        if leases[index].isEnding || leases[index].isUnissued { endLease(index) }
    }

    mutating func releaseLease(of grant: Grant, isAnswered: Bool) {
        if let reference = lease(of: grant) { leaveLease(reference, isAnswered: isAnswered) }
    }

    /// What the next request of a session tells its process: what is owed to it, unless another
    /// request is telling it.
    func affinity(of lease: LeaseReference?) -> Grant.Affinity {
        guard let index = lease.flatMap({ leases.find($0) }), leases[index].active == 0 else {
            return .kept
        }
        return leases[index].owed ?? .kept
    }

    /// The grant's lease; nil when it has ended, or there was none.
    func lease(of grant: Grant) -> LeaseReference? {
        if let reference = grant.lease { return leases.find(reference).map { _ in reference } }
        // The session was pinned after the grant.
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
        // A stopping process has given up its sessions already.
        guard let entry = find(leases[index].process),
            processes[Int(entry)].phase.holdsSessions
        else { return }
        processes[Int(entry)].sessions -= 1
        if !leases[index].isConfirmed { processes[Int(entry)].unconfirmed -= 1 }
        noteSessions(at: entry)
        touch(entry)
    }

    /// Begins a session in a request that was granted without one, or takes part in it, if another
    /// request has just begun it on the same process.
    ///
    /// - Returns: whether the grant is the session's now.
    mutating func pin(_ session: SessionID, of grant: Grant) -> Bool {
        guard let entry = find(grant.process), processes[Int(entry)].phase.serves,
            grant.reservesPlace
        else { return false }
        let known = leases.find(session)
        if let known, leases[known].process != grant.process { return false }
        processes[Int(entry)].unpinned = max(0, processes[Int(entry)].unpinned - 1)
        if let known {
            leases.join(known)
            return true
        }
        _ = joinLease(
            session, at: entry, idle: policy.sessionIdle, isConfirmed: false, owed: .new)
        totals.sessionsCreated += 1
        return true
    }

    /// Begins a session on the process of a grant that has one already.
    ///
    /// The process has issued another id. Where places are limited there is none for it.
    mutating func begin(_ session: SessionID, beside grant: Grant) {
        guard policy.sessionsPerProcess == 0, let entry = find(grant.process),
            processes[Int(entry)].phase.serves, leases.find(session) == nil
        else { return }
        ended.remove(session)
        guard
            let index = leases.insert(
                session, on: handle(entry), idle: policy.sessionIdle,
                unconfirmed: policy.unconfirmed, owed: nil, now: now)
        else {
            totals.sessionsWithoutLease += 1
            return
        }
        enterProcess(entry, lease: index)
        totals.sessionsCreated += 1
    }

    mutating func endSession(_ session: SessionID) {
        ended.insert(session)
        guard let index = leases.find(session) else { return }
        // The place becomes free when the last request has ended, not before.
        if leases[index].active > 0 {
            leases[index].isEnding = true
        } else {
            endLease(index)
        }
    }

    mutating func holdSession(
        _ session: SessionID, idle: Interval
    ) {
        guard let index = leases.find(session), isLive(index) else { return }
        leases[index].idle = max(leases[index].idle, min(idle, Self.longestInterval))
        guard let entry = find(leases[index].process),
            processes[Int(entry)].sessionHold < leases[index].idle
        else { return }
        processes[Int(entry)].sessionHold = leases[index].idle
        if isSpawned {
            orders.supervision.append(.rememberHold(handle(entry), leases[index].idle))
        }
    }

    /// Ends the leases that have been idle for too long.
    mutating func endIdleLeases() {
        while let index = leases.nextEnded(now: now) {
            if isShared(leases[index].process) {
                leases.renew(index, now: now)
            } else {
                endLease(index)
            }
        }
    }

    /// A process can no longer serve its sessions; their leases stay, so that returning users learn
    /// of the loss.
    mutating func loseSessions(at entry: UInt32) {
        let count = processes[Int(entry)].sessions
        processes[Int(entry)].sessions = 0
        processes[Int(entry)].unconfirmed = 0
        guard count > 0 else { return }
        totals.sessionsLost += UInt64(count)
        orders.events.append(.sessionsLost(handle(entry), count: count))
    }
}
