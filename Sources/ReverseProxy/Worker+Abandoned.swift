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
    var left: LeftBehind
    /// Of the request: a response to HEAD has no body.
    let method: RequestMethod
    /// Nil: the head of the response has not come yet.
    var body: BodyDecoder?
}

extension Worker {
    /// How long a process may go on to say something.
    private static let lastWords = Interval.seconds(2)

    /// Whether the process works on the request, though nobody waits for it any more.
    func isAtWork(_ exchange: Int, _ place: Int) -> Bool {
        exchanges[exchange].machine.isAtWork(
            sentAny: upstreams[place].sentAny, hasClosed: upstreams[place].peerClosed, now: now)
            && !(drain.isDraining && drain.successor == nil)
    }

    /// Keeps the slot of an exchange until the process is done with it.
    func leaveBehind(_ exchange: Int, _ place: Int, _ outcome: ExchangeOutcome) {
        let group = Int(upstreams[place].group)
        let left = exchanges[exchange].machine.leaveBehind(
            outcome, deadline: upstreams[place].deadline, now: now)
        if left.isOverdue, let grant = left.slot.grant {
            // That it does not answer is to be known now, not when it has ended.
            groups[group].overdue(grant, now: instant)
        }
        abandoned[place] = AbandonedSlot(
            left: left, method: exchanges[exchange].method,
            body: exchanges[exchange].responsePhase == .streaming
                ? exchanges[exchange].responseBody : nil)
        upstreams[place].move(to: .abandoned)
        upstreams[place].exchange = -1
        upstreams[place].owner = -1
        buffers.release(&upstreams[place].output)
        watchProcessWrites(place, false)
        // A body that has not come to its end never will.
        if left.endsRequest || settings.groups[group].hearsOfEnds {
            upstreams[place].transport?.shutdownWrite()
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
                let speech = abandoned[place]?.left.said(count)
                if hasAnswered(place) || speech == .tooMuch { return closeUpstream(place) }
                if speech == .first {
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
            if slot.left.slot.isTunnel {
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
        let codec = upstreams[place].codec
        switch unsafe codec.parseHead(
            &head, readable.span, resumeFrom: &upstreams[place].headScan,
            limit: settings.limits.requestHead, requestMethod: method, offeredUpgrade: Span())
        {
        case .incomplete: return false
        case .rejected: abandoned[place]?.body = BodyDecoder(.untilClose)
        case .complete:
            upstreams[place].input.consume(head.headLength)
            upstreams[place].headScan = 0
            if !head.isInformational { abandoned[place]?.body = codec.body(head.body) }
        }
        return true
    }

    private func awaitAnswer(_ place: Int) {
        guard let slot = abandoned[place] else { return }
        setUpstreamDeadline(place, after: Interval(nanoseconds: slot.left.deadline &- now))
    }

    /// The process has had its time: one that hangs is replaced, where the group says how long that is.
    ///
    /// That clients do not wait for it must not hide that it hangs.
    func abandonedTimedOut(_ place: Int) {
        let group = Int(upstreams[place].group)
        let isBounded = settings.groups[group].requestTimeout != nil
        guard let grant = abandoned[place]?.left.slot.grant,
            let (timeout, isOverdue) = abandoned[place]?.left.timedOut(
                isBounded: isBounded, now: now)
        else { return }
        if isOverdue { groups[group].overdue(grant, now: instant) }
        switch timeout {
        case .wait: awaitAnswer(place)
        case .close: closeUpstream(place)
        case .closeAndReplace:
            closeUpstream(place)
            groups[group].recycle(grant.process, reason: .requestTimeout, now: instant)
        }
    }

    /// The connection has ended: the slot is free.
    func releaseAbandoned(_ place: Int) {
        guard let slot = abandoned.removeValue(forKey: place) else { return }
        giveBack(slot.left.slot, slot.left.outcome, group: Int(upstreams[place].group))
    }

    /// The balancer stops, and so will the processes: none is waited for.
    func releaseAllAbandoned() {
        for place in Array(abandoned.keys) { closeUpstream(place) }
    }
}
