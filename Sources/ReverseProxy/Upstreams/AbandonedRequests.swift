internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// Connections whose process works on a request that no client waits for any more.
///
/// Belongs to the loop's thread.
final class AbandonedRequests {
    /// How long a process may go on to say something.
    private static let lastWords = Interval.seconds(2)

    private let upstreams: Upstreams
    private let buffers: Buffers
    private let plan: Plan

    init(_ owners: Owners) {
        upstreams = owners.upstreams
        buffers = owners.buffers
        plan = owners.plan
    }

    /// Leaves a connection to its process, with the slot of the request that it works on.
    ///
    /// - Parameter tellsEnd: The process is to see that nothing more comes of the client.
    func abandon(_ place: Int, _ slot: AbandonedSlot, tellsEnd: Bool) {
        upstreams.abandoned[place] = slot
        upstreams[place].move(to: .abandoned)
        upstreams[place].exchange = -1
        upstreams[place].owner = -1
        buffers.release(&upstreams[place].output)
        upstreams.watchWrites(place, false)
        if tellsEnd { upstreams[place].transport?.shutdownWrite() }
        awaitAnswer(place)
        discardLastWords(place)
    }

    /// Throws away what the process says, and closes when it has answered, has ended or goes on for too
    /// long.
    func discardLastWords(_ place: Int) {
        if hasAnswered(place) { return upstreams.close(place) }
        while upstreams[place].isReadable {
            buffers.equip(&upstreams[place].input)
            upstreams[place].input.compact()
            buffers.makeRoomForReading(&upstreams[place].input)
            switch upstreams.read(place) {
            case .moved(let count):
                let speech = upstreams.abandoned[place]?.left.said(count)
                if hasAnswered(place) || speech == .tooMuch { return upstreams.close(place) }
                if speech == .first {
                    let left = Interval(nanoseconds: upstreams[place].deadline &- upstreams.now)
                    upstreams.setDeadline(place, after: min(left, Self.lastWords))
                }
            case .wouldBlock: break
            case .end, .failed: return upstreams.close(place)
            }
        }
        if upstreams[place].input.isEmpty { buffers.release(&upstreams[place].input) }
    }

    /// Goes through what has come of the response; true: it is whole, so the process is done with it.
    ///
    /// What is no response, or leads to another protocol, ends with the connection.
    private func hasAnswered(_ place: Int) -> Bool {
        while !upstreams[place].input.isEmpty, let slot = upstreams.abandoned[place] {
            let bytes = unsafe upstreams[place].input.bytes
            if slot.left.slot.isTunnel {
                upstreams[place].input.consume(bytes.count)
                continue
            }
            guard var body = slot.body else {
                guard skipHead(place, slot.method) else { return false }
                continue
            }
            if body.isEnded { return true }
            switch body.next(bytes, limit: bytes.count) {
            case .data(let consumed, _): upstreams[place].input.consume(consumed)
            case .needMore(let consumed):
                upstreams[place].input.consume(consumed)
                upstreams.abandoned[place]?.body = body
                return false
            case .end: return true
            case .bad: body = BodyDecoder(.untilClose)
            }
            upstreams.abandoned[place]?.body = body
        }
        return upstreams.abandoned[place]?.body?.isEnded ?? false
    }

    /// Takes a head of the response off the input; false: more of it has to come.
    private func skipHead(_ place: Int, _ method: RequestMethod) -> Bool {
        // Not the loop's own: a client may leave in the middle of another's response.
        var head = ResponseHead()
        let bytes = unsafe upstreams[place].input.bytes
        let codec = upstreams[place].codec
        switch codec.parseHead(
            &head, bytes, resumeFrom: &upstreams[place].headScan,
            limit: plan.settings.limits.requestHead, requestMethod: method, offeredUpgrade: Span())
        {
        case .incomplete: return false
        case .rejected: upstreams.abandoned[place]?.body = BodyDecoder(.untilClose)
        case .complete:
            upstreams[place].input.consume(head.headLength)
            upstreams[place].headScan = 0
            if !head.isInformational {
                upstreams.abandoned[place]?.body =
                    codec.body(head, holdsTrailers: false).ignoringMark
            }
        }
        return true
    }

    private func awaitAnswer(_ place: Int) {
        guard let slot = upstreams.abandoned[place] else { return }
        upstreams.setDeadline(
            place, after: Interval(nanoseconds: slot.left.deadline &- upstreams.now))
    }

    /// The process has had its time: one that hangs is replaced, where the group says how long that is.
    ///
    /// That clients do not wait for it must not hide that it hangs.
    func timedOut(_ place: Int) {
        let group = Int(upstreams[place].group)
        let isBounded = plan.settings.groups[group].requestTimeout != nil
        guard let grant = upstreams.abandoned[place]?.left.slot.grant,
            let (timeout, isOverdue) = upstreams.abandoned[place]?.left.timedOut(
                isBounded: isBounded, now: upstreams.now)
        else { return }
        if isOverdue { plan.groups[group].overdue(grant, now: upstreams.instant) }
        switch timeout {
        case .wait: awaitAnswer(place)
        case .close: upstreams.close(place)
        case .closeAndReplace:
            upstreams.close(place)
            plan.groups[group].recycle(
                grant.process, reason: .requestTimeout, now: upstreams.instant)
        }
    }

    /// The balancer stops, and so will the processes: none is waited for.
    func closeAll() {
        for place in Array(upstreams.abandoned.keys) { upstreams.close(place) }
    }
}
