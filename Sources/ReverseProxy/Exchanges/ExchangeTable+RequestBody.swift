internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// The body of a request: taken from the client's input, kept until it is known that it need not be sent
/// again, and framed for the process.
extension ExchangeTable {
    /// Moves body from the client's input to a block with room, framed for the process.
    ///
    /// - Parameter isStoring: Data is kept without its framing, as it may turn out to be all.
    func decodeBody(
        _ exchange: Int, _ downstream: Int, into block: inout Block, _ codec: UpstreamCodec,
        isStoring: Bool = false
    ) -> BodyFill {
        let chunked = self[exchange].isRequestChunked
        while true {
            if self[exchange].requestBody.isEnded { return .ended }
            if downstreams[downstream].input.isEmpty { return .starved }
            if block.room < self[exchange].requestBody.roomWanted { return .full }
            let readable = unsafe downstreams[downstream].input.readable
            let room = block.room - codec.bodyOverhead
            let event = unsafe self[exchange].requestBody.next(readable.span, limit: room)
            switch event {
            case .data(let consumed, let range):
                var sink = unsafe ByteSink(block.writable)
                let data = unsafe readable.span.extracting(range)
                codec.writeBody(data, isChunked: chunked && !isStoring, into: &sink)
                block.commit(sink.count)
                downstreams[downstream].input.consume(consumed)
                self[exchange].requestBodyBytes &+= UInt64(range.count)
            case .needMore(let consumed):
                downstreams[downstream].input.consume(consumed)
                return .starved
            case .end(let consumed):
                let length =
                    self[exchange].holdsRequestTrailers
                    ? self[exchange].requestBody.trailerLength : 0
                if isStoring, length <= BodyFrame.noTrailers {
                    self[exchange].isRequestChunked = false
                    self[exchange].isMeasured = true
                } else if chunked {
                    var sink = unsafe ByteSink(block.writable)
                    if isStoring, self[exchange].requestBodyBytes > 0 {
                        sink.append("\r\n")
                    }
                    unsafe codec.writeBodyEnd(
                        trailers: readable.span.extracting(consumed - length..<consumed),
                        into: &sink)
                    block.commit(sink.count)
                }
                downstreams[downstream].input.consume(consumed)
                return .ended
            case .bad:
                return .bad
            }
        }
    }

    func isBodyTooLarge(_ exchange: Int) -> Bool {
        let limit = plan.settings.limits.requestBody
        return limit > 0 && self[exchange].requestBodyBytes > limit
    }

    /// Moves what is in the input to the chain.
    ///
    /// The end of a chunked body is stored as HTTP/1.1 sends it: a protocol that has another end needs a
    /// body whose length is known.
    func storeBody(_ exchange: Int, _ downstream: Int) -> BodyFill {
        let storing = UpstreamCodec.http1
        while true {
            let filled = buffers.withLast(of: &self[exchange].stored) { block in
                decodeBody(exchange, downstream, into: &block, storing, isStoring: true)
            }
            if let filled, filled != .full { return filled }
            guard self[exchange].stored.bytes < buffers.requestAllowance,
                buffers.extend(&self[exchange].stored)
            else { return .full }
        }
    }

    /// More follows what is stored of a chunked body: the chunk that it is sent as ends here.
    func endStoredChunk(_ exchange: Int) {
        guard self[exchange].isRequestChunked, self[exchange].requestBodyBytes > 0 else {
            return
        }
        let ended: Void? = buffers.withLast(of: &self[exchange].stored) { block in
            // Data leaves that much room in its block: `bodyOverhead`.
            var sink = unsafe ByteSink(block.writable)
            sink.append("\r\n")
            block.commit(sink.count)
        }
        precondition(ended != nil, "data is stored in a block")
    }

    /// Remembers where the body stands, so that it can be sent again from its beginning.
    func keepBody(_ exchange: Int) {
        let downstream = Int(self[exchange].downstream)
        downstreams[downstream].floor.stop()
        downstreams[downstream].input.compact(to: self[exchange].headLength)
        self[exchange].keptBody = self[exchange].requestBody
        self[exchange].keptBytes = self[exchange].requestBodyBytes
    }

    /// Goes back to the beginning of a body that is still kept; harmless when nothing was sent.
    func rewindBody(_ exchange: Int) {
        guard self[exchange].machine.traits.hasBody, self[exchange].machine.bodyIsKept
        else { return }
        let downstream = Int(self[exchange].downstream)
        self[exchange].storedCursor = ChainCursor()
        self[exchange].requestBody = self[exchange].keptBody
        self[exchange].requestBodyBytes = self[exchange].keptBytes
        downstreams[downstream].input.unconsume(to: self[exchange].headLength)
    }

    /// The kept body will not be sent again.
    func dropStoredBody(_ exchange: Int) {
        self[exchange].machine.dropBody()
        buffers.release(&self[exchange].stored)
        self[exchange].storedCursor = ChainCursor()
    }

    /// Copies of what is stored and then of what comes as much as there is room for.
    func fillRequest(_ exchange: Int, _ downstream: Int, _ upstream: Int) -> BodyFill {
        let stored = self[exchange].stored
        if !self[exchange].storedCursor.isAtEnd(of: stored) {
            buffers.equip(&upstreams[upstream].output)
            buffers.copy(
                from: stored, at: &self[exchange].storedCursor,
                into: &upstreams[upstream].output)
            if !self[exchange].storedCursor.isAtEnd(of: stored) { return .full }
        }
        buffers.equip(&upstreams[upstream].output)
        return decodeBody(
            exchange, downstream, into: &upstreams[upstream].output, upstreams[upstream].codec)
    }
}
