internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import Settings

/// From the client to the process: the head with added fields, and the body as it arrives.
///
/// Belongs to the loop's thread. Extension: a body before its slot.
final class RequestPump {
    /// How many blocks one connection may move before the others have their turn.
    static let readsPerTurn = 16

    let exchanges: ExchangeTable
    private let upstreams: Upstreams
    let downstreams: Downstreams
    let buffers: Buffers
    let deadlines: Deadlines
    let plan: Plan
    private let heads: Heads
    let bodies: RequestBodies
    private let retries: Retries
    let answers: OwnAnswers
    let clientEnds: ClientEnds

    init(
        _ owners: Owners, heads: Heads, bodies: RequestBodies, retries: Retries,
        answers: OwnAnswers,
        clientEnds: ClientEnds
    ) {
        exchanges = owners.exchanges
        upstreams = owners.upstreams
        downstreams = owners.downstreams
        buffers = owners.buffers
        deadlines = owners.deadlines
        plan = owners.plan
        self.heads = heads
        self.bodies = bodies
        self.retries = retries
        self.answers = answers
        self.clientEnds = clientEnds
    }

    /// Renders the head for the process and starts to send.
    func sendRequest(_ exchange: Int) -> Step {
        let upstream = exchanges.upstream(of: exchange)
        exchanges.setUpstreamDeadline(upstream, after: exchanges.timeouts(exchange).response)
        bodies.rewindBody(exchange)
        let downstream = Int(exchanges[exchange].downstream)
        exchanges[exchange].machine.connected(
            nothingFollows: downstreams[downstream].input.isEmpty, now: exchanges.now)
        buffers.equip(&upstreams[upstream].output)
        guard heads.renderRequest(exchange, upstream) else {
            answers.give(exchange, to: .headTooLarge)
            return .over
        }
        return pumpRequest(exchange)
    }

    /// Moves available parts of the request: as much as both sides accept.
    func pumpRequest(_ exchange: Int) -> Step {
        guard exchanges[exchange].requestPhase == .sending else { return .wait }
        let upstream = exchanges.upstream(of: exchange)
        let downstream = Int(exchanges[exchange].downstream)
        var reads = 0
        while true {
            let fill =
                upstreams[upstream].codec.hasRecords
                ? bodies.fillRecords(exchange, downstream, upstream)
                : bodies.fillRequest(exchange, downstream, upstream)
            if fill == .bad || bodies.isBodyTooLarge(exchange) {
                refuseBody(exchange, fill == .bad ? .badRequest : .bodyTooLarge)
                return .over
            }
            let outcome = upstreams.send(upstream)
            let isUntouched = upstreams[upstream].reused && !upstreams[upstream].sentAny
            switch exchanges[exchange].machine.sent(outcome, fill, isUntouched: isUntouched) {
            case .awaitProcess:
                downstreams.clearDeadline(downstream)
                downstreams[downstream].floor.stop()
                return .wait
            case .retry: return retries.broke(exchange)
            case .readResponse:
                downstreams[downstream].keepAlive = false
                upstreams[upstream].peerClosed = true
                upstreams[upstream].isReadable = true
                return .passResponse
            case .finished(let dropsBody):
                if dropsBody { bodies.dropStoredBody(exchange) }
                buffers.release(&upstreams[upstream].output)
                downstreams.clearDeadline(downstream)
                return .wait
            case .fill: continue
            case .read:
                if reads == Self.readsPerTurn {
                    downstreams.postpone(downstream)
                    return .wait
                }
                reads += 1
                bodies.dropStoredBody(exchange)
                switch receiveBody(downstream, exchange) {
                case .moved: break
                case .nothing:
                    awaitBody(exchange)
                    return .wait
                case .clientGone: return .over
                }
                exchanges[exchange].machine.bodyArrived(now: exchanges.now)
                exchanges.setUpstreamDeadline(
                    upstream, after: exchanges.timeouts(exchange).response)
            }
        }
    }

    /// No more of the body is available: sets a deadline for whichever side must act.
    private func awaitBody(_ exchange: Int) {
        switch exchanges[exchange].machine.bodyIsAwaited() {
        case .invitation(let deadline): awaitInvitation(exchange, until: deadline)
        case .client: exchanges.clearUpstreamDeadline(exchanges.upstream(of: exchange))
        case .response: break
        }
    }

    /// The result of reading more of a body.
    enum Reading {
        case moved, nothing
        /// The exchange has ended.
        case clientGone
    }

    /// Reads more of the body after the head.
    func receiveBody(_ downstream: Int, _ exchange: Int) -> Reading {
        guard downstreams[downstream].isReadable else {
            downstreams.setBodyDeadline(downstream)
            return .nothing
        }
        buffers.equip(&downstreams[downstream].input)
        downstreams[downstream].input.compact(to: exchanges[exchange].headLength)
        switch downstreams.read(downstream) {
        case .moved(let count):
            downstreams.noteProgress(downstream, count)
            return .moved
        case .wouldBlock:
            downstreams.setBodyDeadline(downstream)
            return .nothing
        case .end, .failed:
            clientEnds.abandon(downstream)
            return .clientGone
        }
    }

    /// The body turned out malformed: the process must not take it for complete.
    private func refuseBody(_ exchange: Int, _ problem: Problem) {
        switch exchanges[exchange].machine.bodyIsBad() {
        case .answer: answers.give(exchange, to: problem)
        case .abandon: clientEnds.abandon(Int(exchanges[exchange].downstream))
        }
    }

    // MARK: Expectations

    /// The client waits for the process's 100, for which the process has a deadline (RFC 9110
    /// section 10.1.1).
    ///
    /// The expectation is forwarded with the head, and the process's 100 back to the client, so
    /// that a process can refuse an upload without reading it. A body that arrives anyway is
    /// forwarded.
    private func awaitInvitation(_ exchange: Int, until deadline: Int64) {
        let downstream = Int(exchanges[exchange].downstream)
        downstreams[downstream].floor.stop()
        downstreams[downstream].deadline = deadline
        deadlines.schedule(client: downstream, at: deadline)
    }

    /// The process has not responded: Mooring invites the body in its name.
    func invite(_ exchange: Int) -> Step {
        let downstream = Int(exchanges[exchange].downstream)
        buffers.equip(&downstreams[downstream].output)
        downstreams[downstream].output.write { $0.append("HTTP/1.1 100 Continue\r\n\r\n") }
        if downstreams.flush(downstream) == .broken {
            clientEnds.abandon(downstream)
            return .over
        }
        return pumpRequest(exchange)
    }
}
