internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

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

extension Upstreams {
    /// How long a process may go on to say something.
    private static let lastWords = Interval.seconds(2)

    /// Leaves a connection to its process, with the slot of the request that it works on.
    ///
    /// - Parameter tellsEnd: The process is to see that nothing more comes of the client.
    func abandon(_ place: Int, _ slot: AbandonedSlot, tellsEnd: Bool) {
        abandoned[place] = slot
        self[place].move(to: .abandoned)
        self[place].exchange = -1
        self[place].owner = -1
        buffers.release(&self[place].output)
        watchWrites(place, false)
        if tellsEnd { self[place].transport?.shutdownWrite() }
        awaitAnswer(place)
        discardLastWords(place)
    }

    /// Throws away what the process says, and closes when it has answered, has ended or goes on for too
    /// long.
    func discardLastWords(_ place: Int) {
        if hasAnswered(place) { return close(place) }
        while self[place].isReadable {
            buffers.equip(&self[place].input)
            self[place].input.compact()
            buffers.makeRoomForReading(&self[place].input)
            switch read(place) {
            case .moved(let count):
                let speech = abandoned[place]?.left.said(count)
                if hasAnswered(place) || speech == .tooMuch { return close(place) }
                if speech == .first {
                    let left = Interval(nanoseconds: self[place].deadline &- now)
                    setDeadline(place, after: min(left, Self.lastWords))
                }
            case .wouldBlock: break
            case .end, .failed: return close(place)
            }
        }
        if self[place].input.isEmpty { buffers.release(&self[place].input) }
    }

    /// Goes through what has come of the response; true: it is whole, so the process is done with it.
    ///
    /// What is no response, or leads to another protocol, ends with the connection.
    private func hasAnswered(_ place: Int) -> Bool {
        while !self[place].input.isEmpty, let slot = abandoned[place] {
            let readable = unsafe self[place].input.readable
            if slot.left.slot.isTunnel {
                self[place].input.consume(readable.count)
                continue
            }
            guard var body = slot.body else {
                guard skipHead(place, slot.method) else { return false }
                continue
            }
            if body.isEnded { return true }
            switch unsafe body.next(readable.span, limit: readable.count) {
            case .data(let consumed, _): self[place].input.consume(consumed)
            case .needMore(let consumed):
                self[place].input.consume(consumed)
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
        let readable = unsafe self[place].input.readable
        let codec = self[place].codec
        switch unsafe codec.parseHead(
            &head, readable.span, resumeFrom: &self[place].headScan,
            limit: plan.settings.limits.requestHead, requestMethod: method, offeredUpgrade: Span())
        {
        case .incomplete: return false
        case .rejected: abandoned[place]?.body = BodyDecoder(.untilClose)
        case .complete:
            self[place].input.consume(head.headLength)
            self[place].headScan = 0
            if !head.isInformational {
                abandoned[place]?.body = codec.body(head, holdsTrailers: false).ignoringMark
            }
        }
        return true
    }

    private func awaitAnswer(_ place: Int) {
        guard let slot = abandoned[place] else { return }
        setDeadline(place, after: Interval(nanoseconds: slot.left.deadline &- now))
    }

    /// The process has had its time: one that hangs is replaced, where the group says how long that is.
    ///
    /// That clients do not wait for it must not hide that it hangs.
    func abandonedTimedOut(_ place: Int) {
        let group = Int(self[place].group)
        let isBounded = plan.settings.groups[group].requestTimeout != nil
        guard let grant = abandoned[place]?.left.slot.grant,
            let (timeout, isOverdue) = abandoned[place]?.left.timedOut(
                isBounded: isBounded, now: now)
        else { return }
        if isOverdue { plan.groups[group].overdue(grant, now: instant) }
        switch timeout {
        case .wait: awaitAnswer(place)
        case .close: close(place)
        case .closeAndReplace:
            close(place)
            plan.groups[group].recycle(grant.process, reason: .requestTimeout, now: instant)
        }
    }

    /// The connection has ended: the slot is free.
    func releaseAbandoned(_ place: Int) {
        guard let slot = abandoned.removeValue(forKey: place) else { return }
        plan.groups[Int(self[place].group)].giveBack(
            slot.left.slot, slot.left.outcome, now: instant)
    }

    /// The balancer stops, and so will the processes: none is waited for.
    func closeAllAbandoned() {
        for place in Array(abandoned.keys) { close(place) }
    }
}
