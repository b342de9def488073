internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// The slot of a request whose client has left while the process works on it.
///
/// The process does not know, or does not care, and its thread is busy until it is done. So the slot stays
/// taken until the process has answered, or ends its side of the connection; it is told the end of ours,
/// and what it still says is thrown away, for a moment: then the connection is closed, and its writes fail.
struct AbandonedSlot {
    let grant: Grant
    let outcome: ExchangeOutcome
    let isTunnel: Bool
    let holdsTunnelSlot: Bool
    /// Of the request: a response to HEAD has no body.
    let method: RequestMethod
    /// Nil: the head of the response has not come yet.
    var body: BodyDecoder?
    /// When its slot is given back in any case; monotonic ns.
    let endsAt: Int64
    /// When a client that had stayed would have been told that there is no answer; `Int64.max`: that is
    /// counted already, or nobody would.
    var overdueAt: Int64
    /// Bytes that the process has said since.
    var spoken = 0
}

extension Worker {
    /// How long a process may take to end its side, where no `request_timeout` says so.
    private static let patience = Interval.seconds(300)
    /// How long, and how much, it may go on to say.
    private static let lastWords = Interval.seconds(2)
    private static let lastBytes = 64 * 1024

    /// Whether the process works on the request, though nobody waits for it any more.
    func isAtWork(_ exchange: Int, _ place: Int) -> Bool {
        exchanges[exchange].machine.holdsSlot && upstreams[place].phase == .busy
            && upstreams[place].sentAny && !upstreams[place].peerClosed
            && exchanges[exchange].machine.clock.deadline > now
            && !(drain.isDraining && drain.successor == nil)
    }

    /// Keeps the slot of an exchange until the process is done with it.
    func leaveBehind(_ exchange: Int, _ place: Int, _ outcome: ExchangeOutcome) {
        let grant: Grant
        var isTunnel = false
        var holdsTunnelSlot = false
        switch exchanges[exchange].machine.returnSlot() {
        case .none: preconditionFailure("an exchange that a process works on holds a slot")
        case .request(let held): grant = held
        case .tunnel(let held, let heldSlot):
            (grant, isTunnel, holdsTunnelSlot) = (held, true, heldSlot)
        }
        var outcome = outcome
        let isOverdue = outcome == .failed
        if isOverdue, !isTunnel {
            // That it does not answer is to be known now, not when it has ended.
            groups[Int(upstreams[place].group)].overdue(grant, now: instant)
            outcome = .abandoned
        }
        let isAwaited = !isOverdue && exchanges[exchange].machine.awaitsAnswer
        abandoned[place] = AbandonedSlot(
            grant: grant, outcome: outcome, isTunnel: isTunnel,
            holdsTunnelSlot: holdsTunnelSlot,
            method: exchanges[exchange].method,
            body: exchanges[exchange].responsePhase == .streaming
                ? exchanges[exchange].responseBody : nil,
            endsAt: min(
                exchanges[exchange].machine.clock.deadline, now &+ Self.patience.nanoseconds),
            overdueAt: isAwaited ? upstreams[place].deadline : .max)
        upstreams[place].move(to: .abandoned)
        upstreams[place].exchange = -1
        upstreams[place].owner = -1
        buffers.release(&upstreams[place].output)
        watchProcessWrites(place, false)
        // A body that has not come to its end never will.
        if exchanges[exchange].requestPhase != .done || isTunnel
            || settings.groups[Int(upstreams[place].group)].hearsOfEnds
        {
            upstreams[place].tls?.shutdown()
            shutdownProcessWrite(place)
        }
        awaitAnswer(place)
        discardLastWords(place)
    }

    /// Throws away what the process says, and closes when it has answered, has ended or goes on for too
    /// long.
    func discardLastWords(_ place: Int) {
        if hasAnswered(place) { return closeUpstream(place) }
        while upstreams[place].isReadable {
            buffers.equip(&upstreams[place].input)
            upstreams[place].input.compact()
            buffers.makeRoomForReading(&upstreams[place].input)
            switch readProcess(place) {
            case .moved(let count):
                let before = abandoned[place]?.spoken ?? 0
                abandoned[place]?.spoken = before + count
                if hasAnswered(place) || before + count > Self.lastBytes {
                    return closeUpstream(place)
                }
                if before == 0 {
                    let left = Interval(nanoseconds: upstreams[place].deadline &- now)
                    setUpstreamDeadline(place, after: min(left, Self.lastWords))
                }
            case .wouldBlock: break
            case .end, .failed: return closeUpstream(place)
            }
        }
        if upstreams[place].input.isEmpty { buffers.release(&upstreams[place].input) }
    }

    /// Goes through what has come of the response; true: it is whole, so the process is done with it.
    ///
    /// What is no response, or leads to another protocol, ends with the connection.
    private func hasAnswered(_ place: Int) -> Bool {
        while !upstreams[place].input.isEmpty, let slot = abandoned[place] {
            let readable = unsafe upstreams[place].input.readable
            if slot.isTunnel {
                upstreams[place].input.consume(readable.count)
                continue
            }
            guard var body = slot.body else {
                guard skipHead(place, slot.method) else { return false }
                continue
            }
            if body.isEnded { return true }
            switch unsafe body.next(readable.span, limit: readable.count) {
            case .data(let consumed, _): upstreams[place].input.consume(consumed)
            case .needMore(let consumed):
                upstreams[place].input.consume(consumed)
                abandoned[place]?.body = body
                return false
            case .end: return true
            case .bad: body = BodyDecoder(.untilClose)
            }
            abandoned[place]?.body = body
        }
        return abandoned[place]?.body?.isEnded ?? false
    }

    /// Takes a head of the response off the input; false: more of it has to come.
    private func skipHead(_ place: Int, _ method: RequestMethod) -> Bool {
        // Not the loop's own: a client may leave in the middle of another's response.
        var head = ResponseHead()
        let readable = unsafe upstreams[place].input.readable
        switch unsafe head.parse(
            readable.span, resumeFrom: &upstreams[place].headScan,
            limit: settings.limits.requestHead, requestMethod: method)
        {
        case .incomplete: return false
        case .rejected: abandoned[place]?.body = BodyDecoder(.untilClose)
        case .complete:
            upstreams[place].input.consume(head.headLength)
            upstreams[place].headScan = 0
            if !head.isInformational { abandoned[place]?.body = BodyDecoder(head.body) }
        }
        return true
    }

    private func awaitAnswer(_ place: Int) {
        guard let slot = abandoned[place] else { return }
        let deadline = min(slot.endsAt, slot.overdueAt)
        setUpstreamDeadline(place, after: Interval(nanoseconds: deadline &- now))
    }

    /// The process has had its time: one that hangs is replaced, where the group says how long that is.
    ///
    /// That clients do not wait for it must not hide that it hangs.
    func abandonedTimedOut(_ place: Int) {
        guard let slot = abandoned[place] else { return }
        let group = Int(upstreams[place].group)
        let hangs = slot.spoken == 0
        let isBounded = settings.groups[group].requestTimeout != nil
        let isLast = slot.endsAt <= now
        if hangs, slot.overdueAt != .max, slot.overdueAt <= now || isLast && isBounded {
            groups[group].overdue(slot.grant, now: instant)
            abandoned[place]?.overdueAt = .max
        }
        if hangs, !isLast { return awaitAnswer(place) }
        let process = upstreams[place].process
        closeUpstream(place)
        if hangs, isBounded {
            groups[group].recycle(process, reason: .requestTimeout, now: instant)
        }
    }

    /// The connection has ended: the slot is free.
    func releaseAbandoned(_ place: Int) {
        guard let slot = abandoned.removeValue(forKey: place) else { return }
        slotsHeld -= 1
        let group = groups[Int(upstreams[place].group)]
        if slot.isTunnel {
            group.endTunnel(
                slot.grant, slot.outcome, heldSlot: slot.holdsTunnelSlot, now: instant)
        } else {
            group.finished(slot.grant, slot.outcome, now: instant)
        }
    }

    /// The balancer stops, and so will the processes: none is waited for.
    func releaseAllAbandoned() {
        for place in Array(abandoned.keys) { closeUpstream(place) }
    }
}
