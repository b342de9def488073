internal import Backends
internal import Reactor

/// Slots: asking the registry, waiting, and giving back.
extension Worker {
    /// Asks for a slot for an exchange that holds none.
    func admit(_ exchange: Int) {
        if exchanges[exchange].askedAt == 0 { exchanges[exchange].askedAt = now }
        if follows(exchange) { return }
        let group = groups[Int(exchanges[exchange].group)]
        switch group.acquire(exchanges[exchange].admission, now: instant) {
        case .granted(let grant):
            granted(exchange, grant)
        case .queued(let ticket):
            exchanges[exchange].move(request: .queued)
            exchanges[exchange].ticket = ticket
            let downstream = Int(exchanges[exchange].downstream)
            clearDownstreamDeadline(downstream)
            shrinkWaiting(exchange)
            lead(exchange)
            limitPatience(exchange)
            // Whoever has gone already is not waited for.
            if downstreams[downstream].peerClosed { abandonDownstream(downstream) }
        case .refused(let refusal):
            if refusal.reason == .processQueueFull, leavesSharedPin(exchange) {
                admit(exchange)
            } else {
                refuse(exchange, refusal)
            }
        case .needsSpawn:
            askToSpawn(exchange)
        }
    }

    /// A process would be started for the request: whoever has caused too many is put off.
    private func askToSpawn(_ exchange: Int) {
        let wait = shared.spawnLimiter.secondsUntilAllowed(
            exchanges[exchange].client, now: now, limit: settings.limits.spawnsPerSource)
        if let wait {
            exchanges[exchange].refused = true
            answer(exchange, .tooManySpawns(retryAfterSeconds: wait))
        } else {
            exchanges[exchange].admission.maySpawn = true
            admit(exchange)
        }
    }

    /// Gives up joining the connection's session where that has no room: without a cookie there is
    /// nothing to lose, and the request may have a process of its own.
    private func leavesSharedPin(_ exchange: Int) -> Bool {
        guard exchanges[exchange].sharesPin, exchanges[exchange].admission.claim != nil else {
            return false
        }
        exchanges[exchange].sharesPin = false
        exchanges[exchange].admission.claim = nil
        return true
    }

    func waiterGranted(_ tag: WaiterTag, _ grant: Grant, group: Int) {
        guard let exchange = exchange(of: tag) else {
            // The client left when the order was on its way.
            groups[group].finished(grant, .abandoned, now: instant)
            return
        }
        exchanges[exchange].ticket = nil
        clearDownstreamDeadline(Int(exchanges[exchange].downstream))
        let serial = exchanges.serial(exchange)
        granted(exchange, grant)
        releaseFollowers(of: exchange, serial: serial)
    }

    func waiterRefused(_ tag: WaiterTag, _ refusal: Refusal) {
        guard let exchange = exchange(of: tag) else { return }
        exchanges[exchange].ticket = nil
        let serial = exchanges.serial(exchange)
        refuse(exchange, refusal)
        releaseFollowers(of: exchange, serial: serial)
    }

    private func granted(_ exchange: Int, _ grant: Grant) {
        exchanges[exchange].grant = grant
        exchanges[exchange].holdsSlot = true
        slotsHeld += 1
        exchanges[exchange].grantedAt = now
        countWait(exchange)
        let isLost = if case .lost = grant.affinity { true } else { false }
        if isLost, isLate(exchange) {
            return abandonDownstream(Int(exchanges[exchange].downstream))
        }
        settleVerdict(exchange, isLost: isLost)
        exchanges[exchange].pausedAt = 0
        if let limit = settings.groups[Int(exchanges[exchange].group)].requestTimeout {
            exchanges[exchange].requestDeadline = now &+ limit.nanoseconds
        }
        if exchanges[exchange].sharesPin, let session = grant.session {
            rememberProvisionalPin(exchange, session, grant.incarnation)
        }
        exchanges[exchange].move(request: .connecting)
        openUpstream(exchange, fresh: false)
    }

    private func refuse(_ exchange: Int, _ refusal: Refusal) {
        if refusal.reason == .sessionLost, isLate(exchange) {
            return abandonDownstream(Int(exchanges[exchange].downstream))
        }
        settleVerdict(exchange, isLost: refusal.reason == .sessionLost)
        exchanges[exchange].refused = true
        let isSpawned = settings.groups[Int(exchanges[exchange].group)].isSpawned
        answer(exchange, .refusal(refusal, isSpawned: isSpawned))
    }

    /// Whether a request has come when another balancer had taken over.
    ///
    /// If its session seems lost then its process may be one that only the successor knows. The
    /// connection is closed without a word: clients ask again on another (RFC 9112 section 9.3.1).
    private func isLate(_ exchange: Int) -> Bool {
        drain.successor != nil && exchanges[exchange].startedAt >= drain.since
    }

    /// Gives the slot back, if the exchange holds one.
    func releaseSlot(_ exchange: Int, _ outcome: ExchangeOutcome) {
        guard exchanges[exchange].holdsSlot, let grant = exchanges[exchange].grant else { return }
        exchanges[exchange].holdsSlot = false
        slotsHeld -= 1
        let group = groups[Int(exchanges[exchange].group)]
        if exchanges[exchange].responsePhase == .tunnel {
            group.endTunnel(
                grant, outcome, heldSlot: exchanges[exchange].tunnel.holdsSlot, now: instant)
        } else {
            group.finished(grant, outcome, now: instant)
        }
    }

    /// Leaves the queue, if the exchange is in one; an order already under way is met by its serial.
    func leaveQueue(_ exchange: Int) {
        guard let ticket = exchanges[exchange].ticket else { return }
        exchanges[exchange].ticket = nil
        _ = groups[Int(exchanges[exchange].group)].leaveQueue(ticket, now: instant)
        releaseFollowers(of: exchange, serial: exchanges.serial(exchange))
    }

    /// The name under which the registry knows a waiting exchange: loop, place and tenant.
    func waiterTag(_ exchange: Int) -> WaiterTag {
        WaiterTag(
            UInt64(index) << 56 | UInt64(exchange) << 28
                | UInt64(exchanges.serial(exchange) & Self.tagMask))
    }

    private func exchange(of tag: WaiterTag) -> Int? {
        let place = Int(tag.value >> 28 & UInt64(Self.tagMask))
        let serial = UInt32(truncatingIfNeeded: tag.value) & Self.tagMask
        guard exchanges.isTaken(place), exchanges.serial(place) & Self.tagMask == serial else {
            return nil
        }
        return place
    }

    private static let tagMask: UInt32 = 0x0fff_ffff

    /// The loop that a waiter's order is for.
    static func worker(of tag: WaiterTag) -> Int { Int(tag.value >> 56) }
}
