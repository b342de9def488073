internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// A request body before its slot: read here, so that a slow client holds no process.
///
/// What has come is kept until it is known that it need not be sent again.
extension Worker {
    /// Begins an exchange with a body: at once when the body is here or is to be asked for, else
    /// when it has come, or as much of it as is kept.
    func admitWithBody(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        let start = exchanges[exchange].machine.headParsed(
            bodyIsHere: isBodyInInput(exchange),
            nothingFollows: downstreams[downstream].input.isEmpty,
            buffersBodies: settings.limits.requestBuffer > 0)
        switch start {
        case .ask:
            keepBody(exchange)
            admit(exchange)
        case .buffer:
            downstreams[downstream].floor.stop()
            bufferRequest(exchange)
        }
    }

    /// A length, and so many bytes behind the head that was just parsed.
    private func isBodyInInput(_ exchange: Int) -> Bool {
        guard case .length(let length) = requestHead.body else { return false }
        return length <= UInt64(downstreams[Int(exchanges[exchange].downstream)].input.count)
    }

    /// Reads what has come of the body, and asks for a slot when that is enough.
    func bufferRequest(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        var reads = 0
        while true {
            let fill = storeBody(exchange, downstream)
            let isTooLarge = isBodyTooLarge(exchange)
            switch exchanges[exchange].machine.bodyStored(fill, isTooLarge: isTooLarge) {
            case .answer(let problem): return answer(exchange, to: problem)
            case .askWithMore:
                endStoredChunk(exchange)
                return admitStored(exchange)
            case .ask: return admitStored(exchange)
            case .read: break
            }
            if reads == Self.readsPerTurn {
                postpone(client: downstream)
                return
            }
            reads += 1
            guard receiveBody(downstream, exchange) else { return }
        }
    }

    private func admitStored(_ exchange: Int) {
        keepBody(exchange)
        downstreams.clearDeadline(Int(exchanges[exchange].downstream))
        admit(exchange)
    }

    /// Moves what is in the input to the chain.
    ///
    /// The end of a chunked body is stored as HTTP/1.1 sends it: a protocol that has another end needs a
    /// body whose length is known.
    private func storeBody(_ exchange: Int, _ downstream: Int) -> BodyFill {
        let storing = UpstreamCodec.http1
        while true {
            let filled = buffers.withLast(of: &exchanges[exchange].stored) { block in
                decodeBody(exchange, downstream, into: &block, storing, isStoring: true)
            }
            if let filled, filled != .full { return filled }
            guard exchanges[exchange].stored.bytes < buffers.requestAllowance,
                buffers.extend(&exchanges[exchange].stored)
            else { return .full }
        }
    }

    /// More follows what is stored of a chunked body: the chunk that it is sent as ends here.
    private func endStoredChunk(_ exchange: Int) {
        guard exchanges[exchange].isRequestChunked, exchanges[exchange].requestBodyBytes > 0 else {
            return
        }
        let ended: Void? = buffers.withLast(of: &exchanges[exchange].stored) { block in
            // Data leaves that much room in its block: `bodyOverhead`.
            var sink = unsafe ByteSink(block.writable)
            sink.append("\r\n")
            block.commit(sink.count)
        }
        precondition(ended != nil, "data is stored in a block")
    }

    /// Remembers where the body stands, so that it can be sent again from its beginning.
    private func keepBody(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        downstreams[downstream].floor.stop()
        downstreams[downstream].input.compact(to: exchanges[exchange].headLength)
        exchanges[exchange].keptBody = exchanges[exchange].requestBody
        exchanges[exchange].keptBytes = exchanges[exchange].requestBodyBytes
    }

    /// Goes back to the beginning of a body that is still kept; harmless when nothing was sent.
    func rewindBody(_ exchange: Int) {
        guard exchanges[exchange].machine.traits.hasBody, exchanges[exchange].machine.bodyIsKept
        else { return }
        let downstream = Int(exchanges[exchange].downstream)
        exchanges[exchange].storedCursor = ChainCursor()
        exchanges[exchange].requestBody = exchanges[exchange].keptBody
        exchanges[exchange].requestBodyBytes = exchanges[exchange].keptBytes
        downstreams[downstream].input.unconsume(to: exchanges[exchange].headLength)
    }

    /// The kept body will not be sent again.
    func dropStoredBody(_ exchange: Int) {
        exchanges[exchange].machine.dropBody()
        buffers.release(&exchanges[exchange].stored)
        exchanges[exchange].storedCursor = ChainCursor()
    }

    /// Copies of what is stored and then of what comes as much as there is room for.
    func fillRequest(_ exchange: Int, _ downstream: Int, _ upstream: Int) -> BodyFill {
        let stored = exchanges[exchange].stored
        if !exchanges[exchange].storedCursor.isAtEnd(of: stored) {
            buffers.equip(&upstreams[upstream].output)
            buffers.copy(
                from: stored, at: &exchanges[exchange].storedCursor,
                into: &upstreams[upstream].output)
            if !exchanges[exchange].storedCursor.isAtEnd(of: stored) { return .full }
        }
        buffers.equip(&upstreams[upstream].output)
        return decodeBody(
            exchange, downstream, into: &upstreams[upstream].output, upstreams[upstream].codec)
    }
}
