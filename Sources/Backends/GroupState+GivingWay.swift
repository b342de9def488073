/// Unconfirmed sessions give way to others where leases or session places are short.
///
/// Whoever never sends the cookie back is a robot, or has left: such a session is the first to go, once
/// nobody has taken part in it for ten seconds. One that was confirmed never is.
extension GroupState {
    static let protectedTime = Interval.seconds(10)
    /// A crowded table is thinned out by so many at a time.
    private static let mostAtOnce = 16

    /// Whether an unconfirmed session has been left alone for long enough to give way now.
    func mayGiveWay(_ index: UInt32) -> Bool {
        guard let since = leases[index].dispensableSince else { return false }
        return since + Self.protectedTime <= now && !isShared(leases[index].process)
    }

    // MARK: Leases

    /// Ends leases that can give way while the table is nearly full.
    mutating func thinOutLeases() {
        guard leases.isCrowded else {
            if isCrowdTold, leases.isAtEase { isCrowdTold = false }
            return
        }
        if !isCrowdTold {
            isCrowdTold = true
            orders.events.append(.leasesFull(count: leases.count))
        }
        var next = leases.firstDispensable
        for _ in 0..<Self.mostAtOnce where leases.isCrowded {
            guard let index = next, let since = leases[index].dispensableSince,
                since + Self.protectedTime <= now
            else { return }
            next = leases[index].next
            guard mayGiveWay(index) else { continue }
            totals.sessionsGivenWay += 1
            endLease(index)
            // What that has set free may have changed the list.
            next = leases.firstDispensable
        }
    }

    // MARK: Session places

    /// Whether a session can give its place to a new one.
    enum GivingWay {
        /// One can now: its lease, and the process where that is all that is missing.
        case lease(UInt32, on: UInt32)
        /// The oldest will be able to then.
        case later(MonotonicInstant)
        case never
    }

    /// Looks for the oldest unconfirmed session whose place is all that is missing.
    var givingWay: GivingWay {
        guard policy.sessionsPerProcess > 0, !isGateClosed, isStartInVain else { return .never }
        var next = leases.firstDispensable
        while let index = next, let since = leases[index].dispensableSince {
            if since + Self.protectedTime > now { return .later(since + Self.protectedTime) }
            next = leases[index].next
            guard mayGiveWay(index), let entry = find(leases[index].process),
                hasRoomButPlaces(processes[Int(entry)]),
                processes[Int(entry)].sessions + processes[Int(entry)].unpinned
                    <= policy.sessionsPerProcess
            else { continue }
            return .lease(index, on: entry)
        }
        return .never
    }

    /// Whether a new session would find a place that another one gives up.
    var wouldBePlacedByGivingWay: Bool {
        switch givingWay {
        case .lease: true
        case .later, .never: false
        }
    }

    /// Ends the session that a choice takes the place of, if any.
    mutating func giveWay(_ choice: Choice) {
        switch choice {
        case .givenWay(let lease):
            totals.sessionsGivenWay += 1
            endLease(lease)
        case .own, .fewest, .fewestPermanent, .fullestBelowTarget: break
        }
    }

    /// Whoever waits for a session's place gets that of one that can give way.
    mutating func serveByGivingWay() {
        givingWayAt = nil
        guard policy.sessionsPerProcess > 0, !isShuttingDown else { return }
        while queue.count > 0 {
            switch givingWay {
            case .never: return
            case .later(let instant):
                givingWayAt = instant
                return
            case .lease(let lease, let entry):
                giveWay(.givenWay(lease: lease))
                serveFirst(at: entry)
                placeClaimantsIfDue()
            }
        }
    }

    // MARK: Draining processes

    /// How many may be on their way out at once before recycling waits.
    private var mostLeaving: Int {
        policy.drainingMaximum > 0 ? policy.drainingMaximum : policy.maximum
    }

    /// Whether another process may be taken out of service; if not, those that can be spared end.
    ///
    /// Processes that are stopping count too: one that takes its time is there all the same.
    mutating func hasRoomToDrain() -> Bool {
        thinOutDraining(to: mostLeaving - 1)
        let leaving = outgoing.draining + outgoing.stopping
        if leaving < mostLeaving {
            isRecyclingWaitTold = false
            return true
        }
        if !isRecyclingWaitTold {
            isRecyclingWaitTold = true
            orders.events.append(.recyclingWaits(leaving: leaving))
        }
        return false
    }

    /// Ends draining processes that only unconfirmed sessions need, the longest idle first.
    private mutating func thinOutDraining(to most: Int) {
        thinningAt = nil
        while outgoing.draining > most, let entry = longestDispensable() {
            let since = processes[Int(entry)].idleSince + Self.protectedTime
            guard case .draining(let reason) = processes[Int(entry)].phase, since <= now else {
                thinningAt = since
                return
            }
            totals.sessionsGivenWay += UInt64(processes[Int(entry)].sessions)
            processes[Int(entry)].sessions = 0
            processes[Int(entry)].unconfirmed = 0
            stop(entry, reason)
        }
    }

    private func longestDispensable() -> UInt32? {
        var best: Int?
        for index in processes.indices {
            guard case .draining = processes[index].phase, processes[index].isDispensable(at: now)
            else { continue }
            if let current = best, processes[current].idleSince <= processes[index].idleSince {
                continue
            }
            best = index
        }
        return best.map { UInt32($0) }
    }

    /// A new generation may have put more out of service than there are to be.
    mutating func thinOutDraining() {
        thinningAt = nil
        if outgoing.draining > mostLeaving { thinOutDraining(to: mostLeaving) }
    }

    // MARK: Invariants

    /// The first rule about those that can give way that is broken; nil: none.
    var brokenGivingWay: String? {
        var listed = 0
        var previous: UInt32?
        var next = leases.firstDispensable
        while let index = next {
            let lease = leases[index]
            if lease.isConfirmed || !lease.isTaken || lease.active > 0 || lease.tunnels > 0 {
                return "a session that is needed is to give way"
            }
            if lease.previous != previous { return "those that give way are linked wrongly" }
            listed += 1
            if listed > leases.count { return "those that give way go round" }
            (previous, next) = (index, lease.next)
        }
        let dispensable = leases.all.count {
            !$0.isConfirmed && $0.active == 0 && $0.tunnels == 0
        }
        if dispensable != listed { return "\(listed) can give way, not \(dispensable)" }
        return nil
    }
}
