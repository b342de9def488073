internal import Backends
internal import Exchanges
internal import Reactor
internal import Settings

/// Slots: asking the registry, waiting, and giving back.
extension Worker {
    /// Asks for a slot for an exchange that holds none.
    func admit(_ exchange: Int) {
        if exchanges[exchange].askedAt == 0 { exchanges[exchange].askedAt = now }
        if follows(exchange) { return }
        let group = groups[Int(exchanges[exchange].group)]
        switch group.acquire(exchanges[exchange].machine.admission, now: instant) {
        case .granted(let grant):
            granted(exchange, grant)
        case .queued(let ticket):
            exchanges[exchange].machine.queued(ticket)
            let downstream = Int(exchanges[exchange].downstream)
            downstreams.clearDeadline(downstream)
            shrinkWaiting(exchange)
            lead(exchange)
            limitPatience(exchange)
            // Whoever has gone already is not waited for.
            if downstreams[downstream].peerClosed { abandonDownstream(downstream) }
        case .refused(let refusal):
            refused(exchange, refusal)
        case .needsSpawn:
            let wait = shared.spawnLimiter.secondsUntilAllowed(
                exchanges[exchange].client, now: now, limit: settings.limits.spawnsPerSource)
            follow(exchange, on: exchanges[exchange].machine.needsSpawn(wait: wait))
        }
    }

    func waiterGranted(_ tag: WaiterTag, _ grant: Grant, group: Int) {
        guard let exchange = exchange(of: tag) else {
            // The client left when the order was on its way.
            groups[group].finished(grant, .abandoned, now: instant)
            return
        }
        endWait(exchange)
        let serial = exchanges.serial(exchange)
        granted(exchange, grant)
        releaseFollowers(of: exchange, serial: serial)
    }

    func waiterRefused(_ tag: WaiterTag, _ refusal: Refusal) {
        guard let exchange = exchange(of: tag) else { return }
        let serial = exchanges.serial(exchange)
        refused(exchange, refusal)
        releaseFollowers(of: exchange, serial: serial)
    }

    /// Whoever waits for a turn has a deadline of its own for that.
    private func endWait(_ exchange: Int) {
        guard exchanges[exchange].requestPhase == .queued else { return }
        downstreams.clearDeadline(Int(exchanges[exchange].downstream))
    }

    private func granted(_ exchange: Int, _ grant: Grant) {
        let group = Int(exchanges[exchange].group)
        let result = exchanges[exchange].machine.granted(
            grant, limit: settings.groups[group].requestTimeout, isLate: isLate(exchange), now: now)
        if result == .giveBack { return groups[group].finished(grant, .abandoned, now: instant) }
        slotsHeld += 1
        exchanges[exchange].grantedAt = now
        exchanges.countWait(exchange)
        if result == .abandon {
            return abandonDownstream(Int(exchanges[exchange].downstream))
        }
        exchanges.settleVerdict(exchange, isLost: grant.affinity == .lost)
        if exchanges[exchange].machine.sharesPin, let session = grant.session {
            exchanges.rememberProvisionalPin(exchange, session, grant.incarnation)
        }
        openUpstream(exchange, fresh: false)
    }

    private func refused(_ exchange: Int, _ refusal: Refusal) {
        let result = exchanges[exchange].machine.refused(refusal, isLate: isLate(exchange))
        if case .answer = result {
            exchanges.settleVerdict(exchange, isLost: refusal.reason == .sessionLost)
        }
        follow(exchange, on: result)
    }

    /// Does what the registry's refusal, or its wish for a start, comes to.
    private func follow(_ exchange: Int, on result: ExchangeMachine.Refused) {
        switch result {
        case .ask: admit(exchange)
        case .answer(let problem):
            exchanges[exchange].refused = true
            answer(exchange, to: problem)
        case .abandon: abandonDownstream(Int(exchanges[exchange].downstream))
        case .nothing: break
        }
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
        let slot = exchanges[exchange].machine.returnSlot()
        if slot == .none { return }
        slotsHeld -= 1
        groups[Int(exchanges[exchange].group)].giveBack(slot, outcome, now: instant)
    }

    /// Leaves the queue, if the exchange is in one.
    func leaveQueue(_ exchange: Int) {
        guard let ticket = exchanges[exchange].machine.leaveQueue() else { return }
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
