/// Decisions: the rules of placement, as functions that change nothing.
extension GroupState {
    enum Decision: Equatable {
        case grant(on: UInt32, Intent, Choice)
        case waitForProcess(UInt32, Intent)
        case waitForGroup(Intent)
        case refuse(Refusal.Reason)

        /// It joins a queue.
        var waits: Bool {
            switch self {
            case .waitForProcess, .waitForGroup: true
            case .grant, .refuse: false
            }
        }
    }

    /// Why this process was chosen.
    enum Choice: Equatable {
        /// It has the session.
        case own
        /// It has the fewest sessions of all.
        case fewest
        /// It has the fewest sessions of the permanent ones below their target load.
        case fewestPermanent
        /// It has the most sessions of those below their target load.
        case fullestBelowTarget
        /// An unconfirmed session there gives its place up.
        case givenWay(lease: UInt32)
    }

    /// Applies the placement rules.
    ///
    /// - Parameter lease: the live lease of the session that the request claims.
    func decide(_ request: AdmissionRequest, _ lease: UInt32?) -> Decision {
        let destination = destination(of: request.claim, lease)
        if request.isSessionless { return decide(sessionless: destination, request) }
        switch destination {
        case .process(let entry, let session, let lease):
            let intent = Intent(
                session: session, affinity: affinity(of: lease), placed: .kept, lease: lease,
                isConfirmed: request.claim?.isFromClient == true)
            return decide(intent, at: entry)
        case .lost(let session):
            switch policy.onLost {
            case .refuse: return .refuse(.sessionLost)
            case .reassign:
                let intent = Intent(
                    session: session, affinity: .lost, placed: .moved,
                    isConfirmed: request.claim?.isFromClient == true)
                return decide(new: intent)
            }
        case .newSession:
            let placed: Grant.Placed = request.newSession == nil ? .unpinned : .pinned
            return decide(
                new: Intent(
                    session: request.newSession, affinity: .new, placed: placed,
                    reservesPlace: request.newSession == nil))
        }
    }

    /// For a sessionless request: it renews a live session, starts none, and a lost session does
    /// not matter.
    private func decide(
        sessionless destination: Destination, _ request: AdmissionRequest
    ) -> Decision {
        switch destination {
        case .process(let entry, let session, let lease):
            let intent = Intent(
                session: lease.map { _ in session }, affinity: .kept, placed: .kept, lease: lease,
                isConfirmed: request.claim?.isFromClient == true)
            return decide(intent, at: entry)
        case .lost, .newSession:
            let intent = Intent(session: nil, affinity: .new, placed: .unpinned)
            return decide(new: intent, needsPlace: false)
        }
    }

    /// Rule 1: the session's own process, at once or in its queue.
    private func decide(_ intent: Intent, at entry: UInt32) -> Decision {
        let waiting = processes[Int(entry)].queue.count
        if waiting == 0 && processes[Int(entry)].inFlight < processes[Int(entry)].slots {
            return .grant(on: entry, intent, .own)
        }
        if waiting >= policy.processQueueLimit { return .refuse(.processQueueFull) }
        return .waitForProcess(entry, intent)
    }

    /// Rules 4 and 5: a process with room, or the group's queue.
    private func decide(new intent: Intent, needsPlace: Bool = true) -> Decision {
        // Its routes are gone; requests that still arrive were routed before.
        if isRetired { return .refuse(.shuttingDown) }
        if isHopeless { return .refuse(.groupFailing) }
        if !needsPlace {
            // The queue's waiters need a session's place if a slot is free, so this request may
            // take the slot.
            if let (entry, choice) = findRoom(forSession: false) {
                return .grant(on: entry, intent, choice)
            }
        } else if queue.count == 0 {
            if let (entry, choice) = findRoom() { return .grant(on: entry, intent, choice) }
            if case .lease(let lease, let entry) = givingWay {
                return .grant(on: entry, intent, .givenWay(lease: lease))
            }
        }
        if queue.count >= policy.queueLimit { return .refuse(.queueFull) }
        return .waitForGroup(intent)
    }

    // MARK: Where a claim leads

    /// Where a request's claim leads.
    enum Destination: Equatable {
        /// The session's process is alive, as is its lease, if it has one.
        case process(UInt32, SessionID, LeaseReference?)
        /// The session's process is gone.
        case lost(SessionID)
        /// There is no session, or it has ended.
        case newSession
    }

    private func destination(of claim: AdmissionRequest.Claim?, _ lease: UInt32?) -> Destination {
        guard let claim else { return .newSession }
        if let lease {
            // The session may have moved since the cookie was issued: the lease is more recent.
            if let entry = find(leases[lease].process), processes[Int(entry)].phase.serves {
                return .process(entry, claim.session, leases.reference(lease))
            }
            if let entry = successor(ofServer: leases[lease].process, claim) {
                return .process(entry, claim.session, nil)
            }
            return .lost(claim.session)
        }
        // Another session may hold the process's only place by now, so an expired token needs a
        // live lease. The application ended the sessions in `ended`, so their tokens are void.
        if claim.requiresLease || ended.contains(claim.session) { return .newSession }
        if policy.sessionsPerProcess > 0 { return keptPlace(of: claim) }
        guard let entry = entriesByIncarnation[claim.process],
            processes[Int(entry)].phase.serves
        else { return gone(claim) }
        return .process(entry, claim.session, nil)
    }

    /// A named server that has got another address; nil: there is none.
    private func successor(
        ofServer process: ProcessHandle, _ claim: AdmissionRequest.Claim
    ) -> UInt32? {
        guard !isSpawned, find(process) == nil, let entry = entriesByIncarnation[claim.process],
            endpoints[entry]?.name != nil,
            processes[Int(entry)].phase.serves
        else { return nil }
        return entry
    }

    /// The process of a session without a lease is gone; a session that began on the connection only,
    /// without a response, is not lost, since the application never answered it.
    private func gone(_ claim: AdmissionRequest.Claim) -> Destination {
        claim.isFromClient ? .lost(claim.session) : .newSession
    }

    /// For groups with session places, when no lease exists for this session.
    private func keptPlace(of claim: AdmissionRequest.Claim) -> Destination {
        guard let entry = entriesByIncarnation[claim.process],
            processes[Int(entry)].phase.serves
        else { return gone(claim) }
        guard processes[Int(entry)].keepsPlaces,
            processes[Int(entry)].sessions + processes[Int(entry)].unpinned
                < policy.sessionsPerProcess
        else { return .newSession }
        return .process(entry, claim.session, nil)
    }
}
