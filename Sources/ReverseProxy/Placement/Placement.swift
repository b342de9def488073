internal import Backends
internal import Exchanges
internal import Reactor
internal import Settings

/// Requests slots from the registry, and acts on its decisions.
///
/// Belongs to the loop's thread. Extensions: request coalescing, and the waiting page.
final class Placement {
    /// The loop's index.
    private let index: Int
    let exchanges: ExchangeTable
    let downstreams: Downstreams
    private let buffers: Buffers
    let plan: Plan
    private let drain: DrainState
    private let shared: SharedState
    let slots: Slots
    let answers: OwnAnswers
    private let clientEnds: ClientEnds
    private let connector: Connector
    let sessions: Sessions

    init(
        _ owners: Owners, slots: Slots, answers: OwnAnswers, clientEnds: ClientEnds,
        connector: Connector, sessions: Sessions
    ) {
        index = owners.index
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        buffers = owners.buffers
        plan = owners.plan
        drain = owners.drain
        shared = owners.shared
        self.slots = slots
        self.answers = answers
        self.clientEnds = clientEnds
        self.connector = connector
        self.sessions = sessions
    }

    /// Requests a slot for an exchange that holds none, and continues with the registry's decision.
    func ask(_ exchange: Int) -> Step {
        if exchanges[exchange].askedAt == 0 { exchanges[exchange].askedAt = exchanges.now }
        if follows(exchange) {
            shrinkWaiting(exchange)
            return .wait
        }
        let group = plan.groups[Int(exchanges[exchange].group)]
        switch group.acquire(exchanges[exchange].machine.admission, now: exchanges.instant) {
        case .granted(let grant): return granted(exchange, grant)
        case .queued(let ticket):
            exchanges[exchange].machine.queued(ticket)
            let downstream = Int(exchanges[exchange].downstream)
            downstreams.clearDeadline(downstream)
            shrinkWaiting(exchange)
            lead(exchange)
            limitPatience(exchange)
            // A client that has gone already gets no place in a queue.
            guard downstreams[downstream].peerClosed else { return .wait }
            clientEnds.abandon(downstream)
            return .over
        case .refused(let refusal): return refused(exchange, refusal)
        case .needsSpawn:
            let wait = shared.spawnLimiter.secondsUntilAllowed(
                exchanges[exchange].client, now: exchanges.now,
                limit: plan.settings.limits.spawnsPerSource)
            return follow(exchange, on: exchanges[exchange].machine.needsSpawn(wait: wait))
        }
    }

    /// A queued exchange has got its slot.
    func waiterGranted(_ exchange: Int, _ grant: Grant) -> Step {
        if exchanges[exchange].requestPhase == .queued {
            // While it waits, the registry's queue timeout applies instead.
            downstreams.clearDeadline(Int(exchanges[exchange].downstream))
        }
        let serial = exchanges.serial(exchange)
        let step = granted(exchange, grant)
        slots.releaseFollowers(of: exchange, serial: serial)
        return step
    }

    /// Returns a slot that came too late: the client left while the order was on its way.
    func giveBack(_ grant: Grant, group: Int) {
        plan.groups[group].finished(grant, .abandoned, isAnswered: false, now: exchanges.instant)
    }

    /// A queued exchange was shed.
    func waiterRefused(_ exchange: Int, _ refusal: Refusal) -> Step {
        exchanges[exchange].dequeuedAt = exchanges.now
        let serial = exchanges.serial(exchange)
        let step = refused(exchange, refusal)
        slots.releaseFollowers(of: exchange, serial: serial)
        return step
    }

    private func granted(_ exchange: Int, _ grant: Grant) -> Step {
        let group = Int(exchanges[exchange].group)
        let result = exchanges[exchange].machine.granted(
            grant, limit: plan.settings.groups[group].requestTimeout, isLate: isLate(exchange),
            now: exchanges.now)
        if result == .giveBack {
            giveBack(grant, group: group)
            return .wait
        }
        slots.take()
        exchanges[exchange].dequeuedAt = exchanges.now
        exchanges.countWait(exchange)
        if result == .abandon {
            clientEnds.abandon(Int(exchanges[exchange].downstream))
            return .over
        }
        exchanges.settleVerdict(exchange, isLost: grant.affinity == .lost)
        if exchanges[exchange].machine.sharesPin, let session = grant.session {
            sessions.rememberProvisionalPin(exchange, session, grant.incarnation)
        }
        return connector.openUpstream(exchange, fresh: false)
    }

    private func refused(_ exchange: Int, _ refusal: Refusal) -> Step {
        let result = exchanges[exchange].machine.refused(refusal, isLate: isLate(exchange))
        if case .answer = result {
            exchanges.settleVerdict(exchange, isLost: refusal.reason == .sessionLost)
            if refusal.reason == .sessionLost { sessions.endLost(exchange) }
        }
        return follow(exchange, on: result)
    }

    /// Acts on the registry's refusal, or on its request to start a process.
    private func follow(_ exchange: Int, on result: ExchangeMachine.Refused) -> Step {
        switch result {
        case .ask: return .ask
        case .answer(let problem):
            exchanges[exchange].refused = true
            answers.give(exchange, to: problem)
            return .over
        case .abandon:
            clientEnds.abandon(Int(exchanges[exchange].downstream))
            return .over
        case .nothing: return .wait
        }
    }

    /// Whether a request arrived after another balancer had taken over.
    ///
    /// If its session seems lost, its process may be one that only the successor knows. The
    /// connection is closed without a response: clients retry on another (RFC 9112 section 9.3.1).
    private func isLate(_ exchange: Int) -> Bool {
        drain.successor != nil && exchanges[exchange].startedAt >= drain.since
    }

    /// Shrinks the buffers of a waiting request to its head and body, since one page may cause
    /// hundreds of them.
    private func shrinkWaiting(_ exchange: Int) {
        buffers.shrink(&downstreams[Int(exchanges[exchange].downstream)].input)
        buffers.shrinkLast(of: &exchanges[exchange].stored)
    }

    /// A follower now asks for itself.
    func askAgain(_ exchange: Int) -> Step {
        sessions.claimProvisionalPin(exchange)
        return ask(exchange)
    }

    // MARK: Waiter tags

    private static let tagMask: UInt32 = 0x0fff_ffff

    /// The tag that identifies a waiting exchange to the registry: loop, index and tenant.
    func waiterTag(_ exchange: Int) -> WaiterTag {
        WaiterTag(
            UInt64(index) << 56 | UInt64(exchange) << 28
                | UInt64(exchanges.serial(exchange) & Self.tagMask))
    }

    /// The exchange with that tag; nil: it has ended.
    func exchange(of tag: WaiterTag) -> Int? {
        let entry = Int(tag.value >> 28 & UInt64(Self.tagMask))
        let serial = UInt32(truncatingIfNeeded: tag.value) & Self.tagMask
        guard exchanges.isTaken(entry), exchanges.serial(entry) & Self.tagMask == serial else {
            return nil
        }
        return entry
    }

    /// The loop that a waiter's order is for.
    static func worker(of tag: WaiterTag) -> Int { Int(tag.value >> 56) }
}
