/// Settling: what follows from a change, on one page.
///
/// A fact changes the state and marks what is due; it calls nothing that follows. Then each step that
/// is due is taken once, the first before the others; what a step changes makes steps due again. So a
/// step can rely on all that come before it: none of them has anything left to do.
extension GroupState {
    /// What a group does by itself, in this order.
    enum Step: UInt16, CaseIterable, Sendable {
        /// A new generation that is ready takes the place of the one before, a replacement that of its
        /// process. First: whoever waits is not to be refused while there is one.
        case takeOver
        /// Processes above the maximum are taken out of service.
        case fitIntoBounds
        /// Draining processes that nobody needs end.
        case retire
        /// Idle transient processes end.
        case evict
        /// The oldest processes are the permanent ones; placement asks which they are.
        case findPermanent
        /// A cold start is over.
        case openGate
        /// Waiters whose session has a process again go there, before others are served.
        case placeClaimants
        /// The waiters of a process get its free slots; those of one that serves no more are placed anew.
        case serveProcesses
        /// The group's waiters get what is left.
        case serveGroup
        /// Those who could not be served in time are refused.
        case refuseLate
        /// Processes are started for those who still wait, and ahead of need.
        case start
        /// Where no start will help, unconfirmed sessions give way.
        case giveWay
        /// Those who wait for nothing are refused.
        case refuseHopeless
        /// The next time to look at each process is noted.
        case schedule
        /// Sessions that hold a place are recorded, for an adoption.
        case record
    }

    /// Steps that are to be taken.
    struct Due: OptionSet, Sendable {
        let rawValue: UInt16

        init(rawValue: UInt16) { self.rawValue = rawValue }
        init(_ step: Step) { rawValue = 1 << step.rawValue }

        var first: Step? { Step(rawValue: UInt16(rawValue.trailingZeroBitCount)) }

        /// There may be more need of another process than before.
        static let demand: Due = [Due(.start), Due(.giveWay)]
        /// The slots, sessions or waiters of a process have changed.
        static let process: Due = [
            Due(.retire), Due(.serveProcesses), Due(.serveGroup), Due(.refuseHopeless),
            Due(.schedule), demand,
        ]
        /// The number of processes, or what is asked of them, has changed.
        static let group: Due = [
            Due(.takeOver), Due(.findPermanent), Due(.openGate), Due(.placeClaimants), process,
        ]
    }

    /// Takes the steps that are due; a kept session's request mostly leaves none.
    @inline(__always)
    mutating func settle() {
        if !due.isEmpty { takeDueSteps() }
    }

    private mutating func takeDueSteps() {
        // A group at rest decides nothing.
        guard isStarted || !isSpawned else { return }
        // Each step does all that it can, so only a defect repeats them for long.
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

    /// A slot was taken or given back: another process may be needed, if there may be one.
    mutating func noteDemand() {
        if isSpawned, census.starting + census.ready < policy.maximum { due.formUnion(.demand) }
    }

    /// A process has a slot more; mostly nobody has waited for it, and nothing follows.
    mutating func noteFreeSlot(at entry: UInt32) {
        let index = Int(entry)
        let mayBeIdle =
            processes[index].inFlight == 0 && isSpawned
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

    /// Whatever the group does about its processes is to be looked at.
    mutating func touchAll() {
        due.formUnion(.group)
        for index in processes.indices { touch(UInt32(index)) }
    }

    /// A session has a lease: one of those who wait for any process may have claimed it.
    mutating func noteLease() {
        if claimantsWaiting > 0 { due.insert(Due(.placeClaimants)) }
    }
}
