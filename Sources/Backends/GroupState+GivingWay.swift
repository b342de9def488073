/// Eviction of unconfirmed sessions when leases or session places are short.
///
/// A client that never sends the cookie back is a robot or has left, so its session is evicted
/// first, once no request has taken part in it for ten seconds. Confirmed sessions are never
/// evicted.
extension GroupState {
    static let protectedTime = Interval.seconds(10)
    /// How many leases are evicted at a time from a crowded table.
    private static let mostAtOnce = 16

    /// Whether an unconfirmed session has been unused for long enough to be evicted now.
    func mayGiveWay(_ index: UInt32) -> Bool {
        guard let since = leases[index].dispensableSince else { return false }
        return since + Self.protectedTime <= now && !isShared(leases[index].process)
    }

    // MARK: Leases

    /// Ends unconfirmed leases while the table is nearly full.
    mutating func thinOutLeases() {
        guard leases.isCrowded else {
            if isCrowdReported, leases.isAtEase { isCrowdReported = false }
            return
        }
        if !isCrowdReported {
            isCrowdReported = true
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
            // Ending a lease may have changed the list.
            next = leases.firstDispensable
        }
    }

    // MARK: Session places

    /// Whether a session can give its place to a new one.
    enum GivingWay {
        /// One can now: its lease, and the process, which lacks nothing but the place.
        case lease(UInt32, on: UInt32)
        /// The oldest can from this time on.
        case later(MonotonicInstant)
        case never
    }

    /// Looks for the oldest unconfirmed session whose process lacks nothing but its place.
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

    /// Whether a new session would get a place by the eviction of another.
    var wouldBePlacedByGivingWay: Bool {
        switch givingWay {
        case .lease: true
        case .later, .never: false
        }
    }

    /// Ends the session whose place the choice takes, if any.
    mutating func giveWay(_ choice: Choice) {
        switch choice {
        case .givenWay(let lease):
            totals.sessionsGivenWay += 1
            endLease(lease)
        case .own, .fewest, .fewestPermanent, .fullestBelowTarget: break
        }
    }

    /// Serves waiters with the places of evicted sessions.
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

    /// How many processes may drain at once before recycling waits.
    private var mostLeaving: Int {
        policy.drainingMaximum > 0 ? policy.drainingMaximum : policy.maximum
    }

    /// Whether another process may start to drain; if not, ends draining processes that can be
    /// spared.
    ///
    /// Stopping processes count too: one that takes long to stop still exists.
    mutating func hasRoomToDrain() -> Bool {
        thinOutDraining(to: mostLeaving - 1)
        let leaving = outgoing.draining + outgoing.stopping
        if leaving < mostLeaving {
            isRecyclingWaitReported = false
            return true
        }
        if !isRecyclingWaitReported {
            isRecyclingWaitReported = true
            orders.events.append(.recyclingWaits(leaving: leaving))
        }
        return false
    }

    /// Stops draining processes that only unconfirmed sessions use, the longest idle first.
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

    /// A new generation may have put more processes out of service than `draining_max`.
    mutating func thinOutDraining() {
        thinningAt = nil
        if outgoing.draining > mostLeaving { thinOutDraining(to: mostLeaving) }
    }

    // MARK: Invariants

    /// The first violated rule about unconfirmed sessions; nil: none.
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
