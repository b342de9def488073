internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing
internal import Settings

/// From the client to the process: the head with what is added to it, and the body as it comes.
extension Worker {
    /// Renders the head for the process and begins to send.
    func sendRequest(_ exchange: Int) {
        let upstream = exchanges.upstream(of: exchange)
        exchanges.setUpstreamDeadline(upstream, after: exchanges.timeouts(exchange).response)
        exchanges.rewindBody(exchange)
        let downstream = Int(exchanges[exchange].downstream)
        exchanges[exchange].machine.connected(
            nothingFollows: downstreams[downstream].input.isEmpty, now: now)
        buffers.equip(&upstreams[upstream].output)
        guard exchanges.renderRequest(exchange, upstream) else {
            endUpstream(exchange, .abandoned)
            answer(exchange, to: .headTooLarge)
            return
        }
        pumpRequest(exchange)
    }

    /// Moves what there is of the request: as much as both sides take.
    func pumpRequest(_ exchange: Int) {
        guard exchanges[exchange].requestPhase == .sending else { return }
        let upstream = exchanges.upstream(of: exchange)
        let downstream = Int(exchanges[exchange].downstream)
        var reads = 0
        while true {
            let fill = exchanges.fillRequest(exchange, downstream, upstream)
            if fill == .bad || exchanges.isBodyTooLarge(exchange) {
                refuseBody(exchange, fill == .bad ? .badRequest : .bodyTooLarge)
                return
            }
            let outcome = upstreams.send(upstream)
            let isUntouched = upstreams[upstream].reused && !upstreams[upstream].sentAny
            switch exchanges[exchange].machine.sent(outcome, fill, isUntouched: isUntouched) {
            case .awaitProcess:
                downstreams.clearDeadline(downstream)
                downstreams[downstream].floor.stop()
                return
            case .retry: return brokenBeforeResponse(exchange)
            case .readResponse:
                downstreams[downstream].keepAlive = false
                upstreams[upstream].peerClosed = true
                upstreams[upstream].isReadable = true
                pumpResponse(exchange)
                return
            case .finished(let dropsBody):
                if dropsBody { exchanges.dropStoredBody(exchange) }
                buffers.release(&upstreams[upstream].output)
                downstreams.clearDeadline(downstream)
                return
            case .fill: continue
            case .read:
                if reads == Self.readsPerTurn {
                    postpone(client: downstream)
                    return
                }
                reads += 1
                exchanges.dropStoredBody(exchange)
                let serial = exchanges.serial(exchange)
                guard receiveBody(downstream, exchange) else {
                    if exchanges.holds(exchange, serial: serial) { awaitBody(exchange) }
                    return
                }
                exchanges[exchange].machine.bodyArrived(now: now)
                exchanges.setUpstreamDeadline(
                    upstream, after: exchanges.timeouts(exchange).response)
            }
        }
    }

    /// Nothing more of the body is here: whoever is to act has a deadline.
    private func awaitBody(_ exchange: Int) {
        switch exchanges[exchange].machine.bodyIsAwaited() {
        case .invitation(let deadline): awaitInvitation(exchange, until: deadline)
        case .client: exchanges.clearUpstreamDeadline(exchanges.upstream(of: exchange))
        case .response: break
        }
    }

    /// Reads more of the body behind the head; false: wait, or the client has gone.
    func receiveBody(_ downstream: Int, _ exchange: Int) -> Bool {
        guard downstreams[downstream].isReadable else {
            downstreams.setBodyDeadline(downstream)
            return false
        }
        buffers.equip(&downstreams[downstream].input)
        downstreams[downstream].input.compact(to: exchanges[exchange].headLength)
        switch downstreams.read(downstream) {
        case .moved(let count):
            downstreams.noteProgress(downstream, count)
            return true
        case .wouldBlock:
            downstreams.setBodyDeadline(downstream)
            return false
        case .end, .failed:
            abandonDownstream(downstream)
            return false
        }
    }

    /// The body turned out bad in the middle: the process must not take it for whole.
    private func refuseBody(_ exchange: Int, _ problem: Problem) {
        switch exchanges[exchange].machine.bodyIsBad() {
        case .answer: answer(exchange, to: problem)
        case .abandon: abandonDownstream(Int(exchanges[exchange].downstream))
        }
    }
}
