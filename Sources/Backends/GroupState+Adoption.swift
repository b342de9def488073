/// Adoption: processes of an earlier balancer enter the table before the group starts its own.
extension GroupState {
    mutating func adopt(
        _ process: AdoptedProcess
    ) -> ProcessHandle? {
        guard isSpawned, !isStarted, entriesByIncarnation[process.incarnation] == nil else {
            return nil
        }
        lastGeneration = max(lastGeneration, process.generation)
        if !process.isStale, process.wasReady, process.generation > generation {
            // This generation supersedes everything adopted of an earlier one.
            generation = process.generation
        }
        let phase: ProcessPhase =
            process.wasReady ? .ready : .starting(until: now + policy.startTimeout)
        let entry = occupy(phase, generation: process.generation)
        let index = Int(entry)
        budget?.adopted(
            group: self.index, rank: processes[index].rank, isStarting: !process.wasReady, now: now)
        processes[index].incarnation = process.incarnation
        processes[index].label = process.label
        processes[index].pid = process.pid
        processes[index].address = process.address
        processes[index].startedAt = now + Interval(nanoseconds: -process.age.nanoseconds)
        processes[index].isStale = process.isStale
        processes[index].hasServed = process.wasReady
        if process.wasReady { processes[index].readyAt = now }
        processes[index].ageLimit = processes[index].ageLimit.map {
            MonotonicInstant(nanoseconds: $0.nanoseconds - process.age.nanoseconds)
        }
        processes[index].isShared = process.isShared
        processes[index].sessionHold = min(process.sessionHold, Self.longestInterval)
        processes[index].wasDraining = process.wasDraining
        processes[index].wasRetired = process.wasRetired
        processes[index].drainUntil = process.drainUntil.map { min($0, now + Self.longestInterval) }
        processes[index].hadNoSessions = process.hadSessions == false
        processes[index].wasOrphaned = process.wasOrphaned && process.wasReady
        // What the record says, or has to be made to say.
        processes[index].isRememberedInUse = process.hadSessions ?? true
        entriesByIncarnation[process.incarnation] = entry
        if policy.sessionsPerProcess == 0 {
            // Sessions that are not on record are unknown until their clients send the cookie again.
            processes[index].keepUntil = now + idleOfReturning(to: entry)
        } else if process.wasOrphaned, process.wasReady {
            keepPlaces(of: entry)
        }
        if policy.recordsSessions {
            for session in process.sessions.confirmed {
                restore(session, isConfirmed: true, at: entry)
            }
            for session in process.sessions.unconfirmed {
                restore(session, isConfirmed: false, at: entry)
            }
        }
        orders.events.append(.adopted(handle(entry)))
        return handle(entry)
    }

    /// Reserves the apparently free session places for sessions that may return, for a moment.
    ///
    /// A session that began just before the balancer was killed is in no record. If it returns in
    /// time, its place is still free.
    private mutating func keepPlaces(of entry: UInt32) {
        let until = now + Self.protectedTime
        placesKeptUntil = until
        processes[Int(entry)].keepsPlaces = true
        processes[Int(entry)].keepUntil = until
    }

    /// The reservation ends: sessions that have not returned have no priority over waiters.
    mutating func openKeptPlaces() {
        guard let until = placesKeptUntil, until <= now else { return }
        placesKeptUntil = nil
        for index in processes.indices { processes[index].keepsPlaces = false }
        due.insert(Due(.serveGroup))
    }

    private mutating func restore(_ session: SessionID, isConfirmed: Bool, at entry: UInt32) {
        guard leases.find(session) == nil,
            let index = leases.insert(
                session, on: handle(entry), idle: idleOfReturning(to: entry),
                unconfirmed: isConfirmed ? nil : policy.unconfirmed, owed: nil, now: now)
        else { return }
        processes[Int(entry)].sessions += 1
        if !leases[index].isConfirmed { processes[Int(entry)].unconfirmed += 1 }
    }

    /// The other balancer has exited; the last sessions that it served may have begun just now.
    mutating func endSharing() {
        for entry in leases.taken where isShared(leases[entry].process) {
            leases.renew(entry, now: now)
        }
        for index in processes.indices where processes[index].isShared {
            processes[index].isShared = false
            processes[index].idleSince = now
            if isRetired, processes[index].hadNoSessions {
                keepForLateSessions(at: UInt32(index))
            } else if policy.sessionsPerProcess == 0 {
                processes[index].keepUntil = now + idleOfReturning(to: UInt32(index))
            }
            touch(UInt32(index))
        }
    }

    /// Whether the balancer that started the process still finishes requests on it.
    func isShared(_ process: ProcessHandle) -> Bool {
        find(process).map { processes[Int($0)].isShared } ?? false
    }

    /// Adopted processes of another launch, or above the bounds, stop when their sessions have
    /// ended.
    mutating func sortAdopted() {
        guard isSpawned else { return }
        // A generation that was still starting takes over only if no other serves.
        if census.ready == 0 { generation = lastGeneration }
        for index in processes.indices where !processes[index].phase.isGone {
            if processes[index].isStale || processes[index].generation != generation {
                takeOut(UInt32(index), .rollout)
            } else if processes[index].wasDraining, !processes[index].wasRetired {
                takeOut(UInt32(index), .drained)
            } else if processes[index].wasDraining, !isRetired {
                serveAgain(UInt32(index))
            }
        }
        while census.starting + census.ready > policy.maximum, let entry = youngest() {
            takeOut(entry, .scaledDown)
        }
        if census.ready > 0 { isProven = true }
    }

    private func youngest() -> UInt32? {
        let serving = processes.indices.filter {
            processes[$0].standing == .serving && !processes[$0].phase.isGone
        }
        return serving.max { processes[$0].startedAt < processes[$1].startedAt }
            .map { UInt32($0) }
    }
}
