internal import Backends

/// Clients: they send requests, wait, leave, and get a response or not.
extension World {
    func request() throws(Violation) {
        let client = chance.element("client", of: clients.indices) ?? 0
        var claim = drawClaim(client)
        if chance.percent("isShared", 10) { claim?.isFromClient = false }
        let newSession = chance.percent("mayBePinned", 85) ? freshSession() : nil
        lastTag += 1
        let tag = WaiterTag(lastTag)
        var request = AdmissionRequest(claim: claim, newSession: newSession, waiter: tag)
        request.isSessionless = chance.percent("isSessionless", 10)
        let explanation = group.explain(request, now: now)
        let admission = group.acquire(request, now: now)
        history.note(
            now, "client \(client), request \(lastTag) asks with \(text(claim)): \(text(admission))"
        )
        try check(explanation, against: admission)
        switch admission {
        case .granted(let grant):
            try attend()
            try accept(grant, request, client)
        case .queued(let ticket):
            shadow.queued(tag, request, now: now)
            waiting.append(Waiting(client: client, tag: tag, ticket: ticket))
            summary.waits += 1
            try attend()
        case .refused(let refusal):
            summary.refusals += 1
            try shadow.checkRefusal(refusal, isShuttingDown: isShuttingDown || isRetired)
            try attend()
        case .needsSpawn:
            preconditionFailure("a request that may make a process be started is not asked back")
        }
    }

    /// The explained decision must be the one taken.
    private func check(
        _ explanation: PlacementExplanation, against admission: Admission
    ) throws(Violation) {
        // The request itself may evict sessions from a crowded lease table.
        if scenario.policy.leaseLimit < 1_000_000 { return }
        let chosen = explanation.candidates.filter { $0.verdict == .chosen }.map(\.process)
        let isTrue =
            switch (explanation.outcome, admission) {
            case (.granted(let process), .granted(let grant)):
                process == grant.process && chosen == [process]
            case (.waitsForProcess, .queued), (.waits, .queued):
                chosen.isEmpty && explanation.position != nil
            case (.refused(let reason), .refused(let refusal)):
                reason == refusal.reason && chosen.isEmpty
            case (.granted, _), (.waitsForProcess, _), (.waits, _), (.refused, _): false
            }
        if !isTrue { throw Violation(.explainedWrongly, "\(explanation)") }
    }

    /// A session admitted together with one without a lease may itself be the one without.
    func lookForSessionsWithoutLease() {
        guard scenario.policy.leaseLimit < 1_000_000 else { return }
        let total = group.snapshot(now: now).sessionsWithoutLeaseTotal
        shadow.lacksLease = total != shadow.withoutLease
        shadow.withoutLease = total
    }

    /// Some of the sessions admitted lately have no lease, so nothing is certain about any of them.
    func doubtSessionsWithoutLease() {
        guard scenario.policy.leaseLimit < 1_000_000 else { return }
        let total = group.snapshot(now: now).sessionsWithoutLeaseTotal
        guard total != withoutLease else { return }
        withoutLease = total
        for request in running + tunnels.map(\.running) {
            if let session = request.grant.session { shadow.release(session) }
        }
        for order in mail {
            if case .grant(_, let grant) = order, let session = grant.session {
                shadow.release(session)
            }
        }
    }

    private func drawClaim(_ client: Int) -> AdmissionRequest.Claim? {
        switch chance.int("cookie", in: 0..<100) {
        case ..<10: return nil
        case ..<15: return clients[client].staleCookie
        case ..<18:
            // A valid token of an unknown process, as after a restart.
            return .init(session: freshSession(), process: Incarnation(chance.word("stranger")))
        case ..<24:
            var claim = clients[client].cookie
            claim?.requiresLease = true
            return claim
        default: return clients[client].cookie
        }
    }

    func freshSession() -> SessionID {
        lastSession += 1
        return SessionID(high: lastSession, low: 1)
    }

    /// Checks a granted slot; the client stores its cookie.
    private func accept(
        _ grant: Grant, _ request: AdmissionRequest, _ client: Int
    ) throws(Violation) {
        try shadow.granted(
            grant, for: request.claim, isSessionless: request.isSessionless, now: now)
        start(grant, client)
    }

    private func start(_ grant: Grant, _ client: Int) {
        summary.grants += 1
        if grant.placed == .moved { summary.moved += 1 }
        running.append(Running(client: client, grant: grant))
        guard let session = grant.session else { return }
        let cookie = AdmissionRequest.Claim(session: session, process: grant.incarnation)
        if cookie != clients[client].cookie {
            clients[client].staleCookie = clients[client].cookie
            clients[client].cookie = cookie
        }
    }

    /// Checks a waiter's order when it is given; it reaches its client some time later.
    func attend(to order: TrafficOrder) throws(Violation) {
        switch order {
        case .grant(let tag, let grant):
            let waiter = try shadow.answered(tag)
            history.note(now, "waiter \(tag.value) gets \(text(grant))")
            try shadow.granted(
                grant, for: waiter.claim, isSessionless: waiter.isSessionless, now: now)
        case .refuse(let tag, let refusal):
            _ = try shadow.answered(tag)
            history.note(now, "waiter \(tag.value) is refused: \(refusal.reason)")
            if refusal.reason == .queueTimeout || refusal.reason == .groupFailing {
                try shadow.checkRefusal(refusal, isShuttingDown: isShuttingDown || isRetired)
            }
            summary.refusals += 1
        }
        mail.append(order)
    }

    func deliverMail() throws(Violation) {
        guard !mail.isEmpty else { return }
        let order = mail.removeFirst()
        switch order {
        case .grant(let tag, let grant):
            guard let index = waiting.firstIndex(where: { $0.tag == tag }) else {
                // Its client has left meanwhile.
                return try finish(grant, .abandoned)
            }
            start(grant, waiting.remove(at: index).client)
        case .refuse(let tag, _):
            waiting.removeAll { $0.tag == tag }
        }
    }

    func leave() throws(Violation) {
        guard let index = chance.element("waiter", of: waiting.indices) else { return }
        let leaving = waiting.remove(at: index)
        let hasLeft = group.leaveQueue(leaving.ticket, now: now)
        history.note(now, "waiter \(leaving.tag.value) leaves: \(hasLeft)")
        if hasLeft {
            _ = try shadow.answered(leaving.tag)
        } else if !mail.contains(where: { $0.tag == leaving.tag }) {
            throw Violation(.ticketLost, "\(leaving.tag)")
        }
        try attend()
    }

    func finishOne() throws(Violation) {
        guard let index = chance.element("request", of: running.indices) else { return }
        let ended = running.remove(at: index)
        try finish(ended.grant, drawOutcome(ended.grant))
    }

    private func drawOutcome(_ grant: Grant) -> ExchangeOutcome {
        if unreportedExits.contains(grant.process) || shadow.processes[grant.process] == nil {
            return chance.pick("outcome", [.failed, .connectFailed])
        }
        if chance.percent("failsToConnect", scenario.brokenConnections) { return .connectFailed }
        return chance.pick(
            "outcome", [ExchangeOutcome.served, .served, .served, .served, .failed, .abandoned])
    }

    func finish(_ grant: Grant, _ outcome: ExchangeOutcome) throws(Violation) {
        let isAnswered =
            outcome == .served || outcome != .connectFailed && chance.percent("answered", 50)
        history.note(now, "\(grant.process) has done one: \(outcome), answered: \(isAnswered)")
        shadow.finished(grant, isAnswered: isAnswered, now: now)
        group.finished(grant, outcome, isAnswered: isAnswered, now: now)
        try attend()
        if outcome == .connectFailed, shadow.processes[grant.process]?.serves == true {
            throw Violation(.unreachableProcessKept, "\(grant.process)")
        }
    }

    /// The application controls its session (`Mooring-Pin`).
    func directSession() throws(Violation) {
        guard let index = chance.element("request", of: running.indices) else { return }
        let grant = running[index].grant
        guard let session = grant.session else {
            guard grant.reservesPlace, shadow.processes[grant.process]?.serves == true else {
                return
            }
            let session = freshSession()
            history.note(now, "\(grant.process) starts session \(session.high)")
            group.pin(session, of: grant, now: now)
            shadow.pin(session, to: grant.process, now: now)
            running[index].grant.session = session
            return try attend()
        }
        if chance.percent("holds", 50) {
            let idle = Interval.seconds(chance.pick("idle", [1, 60, 3600]))
            history.note(now, "session \(session.high) is held for \(idle.seconds) s")
            group.holdSession(session, idle: idle, now: now)
            if running[index].grant.process == shadow.pins[session]?.process {
                shadow.hold(session, idle)
            }
        } else {
            history.note(now, "session \(session.high) is released")
            shadow.release(session)
            group.endSession(session, now: now)
        }
        try attend()
    }

    private func text(_ claim: AdmissionRequest.Claim?) -> String {
        guard let claim else { return "no cookie" }
        return "session \(claim.session.high)\(claim.requiresLease ? " (old)" : "")"
    }

    private func text(_ admission: Admission) -> String {
        switch admission {
        case .granted(let grant): text(grant)
        case .queued: "waits"
        case .refused(let refusal): "\(refusal.reason)"
        case .needsSpawn: "needs a process"
        }
    }

    private func text(_ grant: Grant) -> String {
        let session = grant.session.map { "session \($0.high)" } ?? "no session"
        return "\(grant.process) for \(session), \(grant.placed)"
    }
}

extension TrafficOrder {
    fileprivate var tag: WaiterTag {
        switch self {
        case .grant(let tag, _), .refuse(let tag, _): tag
        }
    }
}
