/// Settling: the consequences of a change, on one page.
///
/// A fact changes the state and marks what is due; it calls no consequence itself. Then each due
/// step runs once, the first before the others; what a step changes makes steps due again. So a
/// step can rely on all steps before it: none of them has work left.
extension GroupState {
    /// What a group does on its own, in this order.
    enum Step: UInt16, CaseIterable, Sendable {
        /// A ready generation replaces the one before, a ready replacement its process.
        ///
        /// First: no waiter may be refused while a ready process exists.
        case takeOver
        /// Processes above the maximum are taken out of service.
        case fitIntoBounds
        /// Draining processes that are no longer needed stop.
        case retire
        /// Idle transient processes stop.
        case evict
        /// The oldest processes are the permanent ones; placement uses this.
        case findPermanent
        /// The gate of a cold start opens.
        case openGate
        /// Waiters whose session has a process again are placed before others are served.
        case placeClaimants
        /// The waiters of a process get its free slots; those of one that no longer serves are
        /// placed again.
        case serveProcesses
        /// The group's waiters get the remaining slots.
        case serveGroup
        /// Waiters that could not be served in time are refused.
        case refuseLate
        /// Processes are started for the remaining waiters, and ahead of need.
        case start
        /// Where no start can help, unconfirmed sessions are evicted.
        case giveWay
        /// Waiters that no process will ever serve are refused.
        case refuseHopeless
        /// The next check of each process is scheduled.
        case schedule
        /// Sessions with a place are recorded, for an adoption.
        case record
    }

    /// The steps that are due.
    struct Due: OptionSet, Sendable {
        let rawValue: UInt16

        init(rawValue: UInt16) { self.rawValue = rawValue }
        init(_ step: Step) { rawValue = 1 << step.rawValue }

        var first: Step? { Step(rawValue: UInt16(rawValue.trailingZeroBitCount)) }

        /// Another process may be needed more than before.
        static let demand: Due = [Due(.start), Due(.giveWay)]
        /// The slots, sessions or waiters of a process have changed.
        static let process: Due = [
            Due(.retire), Due(.serveProcesses), Due(.serveGroup), Due(.refuseHopeless),
            Due(.schedule), demand,
        ]
        /// The number of processes, or the wanted number, has changed.
        static let group: Due = [
            Due(.takeOver), Due(.findPermanent), Due(.openGate), Due(.placeClaimants), process,
        ]
    }

    /// Takes the due steps; a kept session's request mostly leaves none.
    @inline(__always)
    mutating func settle() {
        if !due.isEmpty { takeDueSteps() }
    }

    private mutating func takeDueSteps() {
        // A group that has not started decides nothing.
        guard isStarted || !isSpawned else { return }
        // Each step does all it can, so only a defect makes steps repeat for long.
        for _ in 0..<(100 + 20 * processes.count) {
            guard let step = due.first else { return }
            due.remove(Due(step))
            take(step)
        }
        assertionFailure("\(due) is still due")
    }

    private mutating func take(_ step: Step) {
        switch step {
        case .takeOver:
            if isShuttingDown { return }
            completeRolloutIfReady()
            completeRecyclingIfReady()
        case .fitIntoBounds: fitIntoBounds()
        case .retire: retireDrained()
        case .evict: evictIdle()
        case .findPermanent: findPermanent()
        case .openGate: openGateIfDue()
        case .placeClaimants: placeClaimants()
        case .serveProcesses: serveProcesses()
        case .serveGroup: serveGroup()
        case .refuseLate: refuseLate()
        case .start: startWhatIsNeeded()
        case .giveWay: serveByGivingWay()
        case .refuseHopeless: refuseIfHopeless()
        case .schedule: scheduleTouched()
        case .record: recordSessions()
        }
    }

    // MARK: What a fact marks

    /// A slot was taken or returned: another process may be needed, if one is allowed.
    mutating func noteDemand() {
        if isSpawned, census.starting + census.ready < policy.maximum { due.formUnion(.demand) }
    }

    /// A process has one more free slot; usually no request waits for it and nothing follows.
    mutating func noteFreeSlot(at entry: UInt32) {
        let index = Int(entry)
        let mayBeIdle =
            processes[index].inFlight == 0 && processes[index].sessions == 0 && isSpawned
            && census.ready > policy.minimum + policy.spare
        if mayBeIdle || queue.count > 0 || processes[index].queue.count > 0
            || !processes[index].phase.isReady
        {
            touch(entry)
        }
    }

    /// The slots, sessions, waiters or times of a process have changed.
    mutating func touch(_ entry: UInt32) {
        due.formUnion(.process)
        if processes[Int(entry)].isTouched { return }
        processes[Int(entry)].isTouched = true
        touched.append(entry)
    }

    /// Everything about the group's processes must be checked again.
    mutating func touchAll() {
        due.formUnion(.group)
        for index in processes.indices { touch(UInt32(index)) }
    }

    /// A session has a lease: a waiter for any process may have claimed it.
    mutating func noteLease() {
        if claimantsWaiting > 0 { due.insert(Due(.placeClaimants)) }
    }
}
