internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// Connections whose process works on a request without a waiting client.
///
/// Belongs to the loop's thread.
final class AbandonedRequests {
    /// How long a process may continue to send.
    private static let inputPatience = Interval.seconds(2)

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
    /// - Parameter tellsEnd: whether to close our side, so that the process sees that the client is
    ///   gone.
    func abandon(_ entry: Int, _ slot: AbandonedSlot, tellsEnd: Bool) {
        upstreams.abandoned[entry] = slot
        upstreams[entry].move(to: .abandoned)
        upstreams[entry].exchange = -1
        upstreams[entry].owner = -1
        if tellsEnd, upstreams[entry].codec.hasRecords { sayAbort(entry) }
        buffers.release(&upstreams[entry].output)
        upstreams.watchWrites(entry, false)
        if tellsEnd { upstreams[entry].transport?.shutdownWrite() }
        awaitAnswer(entry)
        discardInput(entry)
    }

    /// Tells a FastCGI process that nobody waits any more; not in the middle of a record.
    private func sayAbort(_ entry: Int) {
        guard upstreams[entry].output.isEmpty, upstreams.unsentHeads[entry] == nil else { return }
        buffers.equip(&upstreams[entry].output)
        upstreams[entry].output.rewind()
        upstreams[entry].output.write { FastCGIRecords.writeAbort(into: &$0) }
        _ = upstreams.send(entry)
    }

    /// Discards what the process sends, and closes when it has responded, has closed or sends for
    /// too long.
    func discardInput(_ entry: Int) {
        if hasAnswered(entry) { return upstreams.close(entry) }
        while upstreams[entry].isReadable {
            buffers.equip(&upstreams[entry].input)
            upstreams[entry].input.compact()
            buffers.makeRoomForReading(&upstreams[entry].input)
            switch upstreams.read(entry) {
            case .moved(let count):
                let reception = upstreams.abandoned[entry]?.left.received(count)
                if hasAnswered(entry) || reception == .tooMuch { return upstreams.close(entry) }
                if reception == .first {
                    let left = Interval(nanoseconds: upstreams[entry].deadline &- upstreams.now)
                    upstreams.setDeadline(entry, after: min(left, Self.inputPatience))
                }
            case .wouldBlock: break
            case .end, .failed: return upstreams.close(entry)
            }
        }
        if upstreams[entry].input.isEmpty { buffers.release(&upstreams[entry].input) }
    }

    /// Scans the response; true: it is complete, so the process is done.
    ///
    /// An invalid response, or a switch of protocols, ends with the connection.
    private func hasAnswered(_ entry: Int) -> Bool {
        if upstreams[entry].codec.hasRecords {
            upstreams[entry].input.rewind()
            return upstreams[entry].records.isOver
        }
        while !upstreams[entry].input.isEmpty, let slot = upstreams.abandoned[entry] {
            let bytes = unsafe upstreams[entry].input.bytes
            if slot.left.slot.isTunnel {
                upstreams[entry].input.consume(bytes.count)
                continue
            }
            guard var body = slot.body else {
                guard skipHead(entry, slot.method) else { return false }
                continue
            }
            if body.isEnded { return true }
            switch body.next(bytes, limit: bytes.count) {
            case .data(let consumed, _): upstreams[entry].input.consume(consumed)
            case .needMore(let consumed):
                upstreams[entry].input.consume(consumed)
                upstreams.abandoned[entry]?.body = body
                return false
            case .end: return true
            case .bad: body = BodyDecoder(.untilClose)
            }
            upstreams.abandoned[entry]?.body = body
        }
        return upstreams.abandoned[entry]?.body?.isEnded ?? false
    }

    /// Removes a head of the response from the input; false: it is incomplete.
    private func skipHead(_ entry: Int, _ method: RequestMethod) -> Bool {
        // Not the loop's own: a client may leave in the middle of another's response.
        var head = ResponseHead()
        let bytes = unsafe upstreams[entry].input.bytes
        let codec = upstreams[entry].codec
        switch codec.parseHead(
            &head, bytes, resumeFrom: &upstreams[entry].headScan,
            limit: plan.settings.limits.requestHead, requestMethod: method, offeredUpgrade: Span())
        {
        case .incomplete: return false
        case .rejected: upstreams.abandoned[entry]?.body = BodyDecoder(.untilClose)
        case .complete:
            upstreams[entry].input.consume(head.headLength)
            upstreams[entry].headScan = 0
            if !head.isInformational {
                upstreams.abandoned[entry]?.body =
                    codec.body(head, holdsTrailers: false).ignoringMark
            }
        }
        return true
    }

    private func awaitAnswer(_ entry: Int) {
        guard let slot = upstreams.abandoned[entry] else { return }
        upstreams.setDeadline(
            entry, after: Interval(nanoseconds: slot.left.deadline &- upstreams.now))
    }

    /// The process has timed out: one that hangs is replaced, if the group has a `request_timeout`.
    ///
    /// A hanging process must be noticed even though its client has left.
    func timedOut(_ entry: Int) {
        let group = Int(upstreams[entry].group)
        let isBounded = plan.settings.groups[group].requestTimeout != nil
        guard let grant = upstreams.abandoned[entry]?.left.slot.grant,
            let (timeout, isOverdue) = upstreams.abandoned[entry]?.left.timedOut(
                isBounded: isBounded, now: upstreams.now)
        else { return }
        if isOverdue { plan.groups[group].overdue(grant, now: upstreams.instant) }
        switch timeout {
        case .wait: awaitAnswer(entry)
        case .close: upstreams.close(entry)
        case .closeAndReplace:
            upstreams.close(entry)
            plan.groups[group].recycle(
                grant.process, reason: .requestTimeout, now: upstreams.instant)
        }
    }

    /// The balancer stops, and so will the processes: waits for none.
    func closeAll() {
        for entry in Array(upstreams.abandoned.keys) { upstreams.close(entry) }
    }
}
