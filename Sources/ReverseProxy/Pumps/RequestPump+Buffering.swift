internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// Reads a request body before the slot, so that a slow client occupies no process.
///
/// It is stored until no retry can need it.
extension RequestPump {
    /// Starts an exchange with a body: at once if the body is complete or must be invited,
    /// otherwise when it is complete, or the buffer is full.
    func beginBody(_ exchange: Int) -> Step {
        let downstream = Int(exchanges[exchange].downstream)
        let start = exchanges[exchange].machine.headParsed(
            bodyIsHere: isBodyInInput(exchange),
            nothingFollows: downstreams[downstream].input.isEmpty,
            buffersBodies: plan.settings.limits.requestBuffer > 0)
        switch start {
        case .ask:
            bodies.keepBody(exchange)
            return .ask
        case .buffer:
            downstreams[downstream].floor.stop()
            return bufferRequest(exchange)
        }
    }

    /// Whether the complete body, of known length, follows the head that was just parsed.
    private func isBodyInInput(_ exchange: Int) -> Bool {
        guard case .length(let length) = exchanges.heads.request.body else { return false }
        return length <= UInt64(downstreams[Int(exchanges[exchange].downstream)].input.count)
    }

    /// Reads available bytes of the body; `ask` when that is enough.
    func bufferRequest(_ exchange: Int) -> Step {
        let downstream = Int(exchanges[exchange].downstream)
        var reads = 0
        while true {
            let fill = bodies.storeBody(exchange, downstream)
            let isTooLarge = bodies.isBodyTooLarge(exchange)
            switch exchanges[exchange].machine.bodyStored(fill, isTooLarge: isTooLarge) {
            case .answer(let problem):
                answers.give(exchange, to: problem)
                return .over
            case .askWithMore:
                bodies.endStoredChunk(exchange)
                return endBuffering(exchange)
            case .ask: return endBuffering(exchange)
            case .read: break
            }
            if reads == Self.readsPerTurn {
                downstreams.postpone(downstream)
                return .wait
            }
            reads += 1
            switch receiveBody(downstream, exchange) {
            case .moved: break
            case .nothing: return .wait
            case .clientGone: return .over
            }
        }
    }

    private func endBuffering(_ exchange: Int) -> Step {
        bodies.keepBody(exchange)
        downstreams.clearDeadline(Int(exchanges[exchange].downstream))
        return .ask
    }
}
