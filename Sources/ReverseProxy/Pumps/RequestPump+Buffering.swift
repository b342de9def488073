internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// A request body before its slot: read here, so that a slow client holds no process.
///
/// What has come is kept until it is known that it need not be sent again.
extension RequestPump {
    /// Begins an exchange with a body: at once when the body is here or is to be asked for, else
    /// when it has come, or as much of it as is kept.
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

    /// A length, and so many bytes behind the head that was just parsed.
    private func isBodyInInput(_ exchange: Int) -> Bool {
        guard case .length(let length) = exchanges.heads.request.body else { return false }
        return length <= UInt64(downstreams[Int(exchanges[exchange].downstream)].input.count)
    }

    /// Reads what has come of the body; `ask` when that is enough.
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
