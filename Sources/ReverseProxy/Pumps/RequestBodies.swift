internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// The body of a request: decoded from the client's input, stored until no retry can need it, and
/// framed for the process.
///
/// Belongs to the loop's thread.
final class RequestBodies {
    let exchanges: ExchangeTable
    private let downstreams: Downstreams
    let upstreams: Upstreams
    let buffers: Buffers
    private let plan: Plan

    init(_ owners: Owners) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        upstreams = owners.upstreams
        buffers = owners.buffers
        plan = owners.plan
    }

    /// Moves body bytes from the client's input to a block with room, framed for the process.
    ///
    /// - Parameter isStoring: data is stored without its framing, since it may turn out to be
    ///   complete.
    func decodeBody(
        _ exchange: Int, _ downstream: Int, into block: inout Block, _ codec: UpstreamCodec,
        isStoring: Bool = false
    ) -> BodyFill {
        let chunked = exchanges[exchange].isRequestChunked
        while true {
            if exchanges[exchange].requestBody.isEnded { return .ended }
            if downstreams[downstream].input.isEmpty { return .starved }
            if block.room < exchanges[exchange].requestBody.roomWanted { return .full }
            let bytes = unsafe downstreams[downstream].input.bytes
            let room = min(block.room - codec.bodyOverhead, codec.longestPiece)
            let event = exchanges[exchange].requestBody.next(bytes, limit: room)
            switch event {
            case .data(let consumed, let range):
                block.write { sink in
                    codec.writeBody(
                        bytes.extracting(range), isChunked: chunked && !isStoring, into: &sink)
                }
                downstreams[downstream].input.consume(consumed)
                exchanges[exchange].requestBodyBytes &+= UInt64(range.count)
            case .needMore(let consumed):
                downstreams[downstream].input.consume(consumed)
                return .starved
            case .end(let consumed):
                let length =
                    exchanges[exchange].holdsRequestTrailers
                    ? exchanges[exchange].requestBody.trailerLength : 0
                if isStoring, length <= BodyFrame.noTrailers {
                    exchanges[exchange].isRequestChunked = false
                    exchanges[exchange].isMeasured = true
                } else if chunked {
                    block.write { sink in
                        if isStoring, exchanges[exchange].requestBodyBytes > 0 {
                            sink.append("\r\n")
                        }
                        codec.writeBodyEnd(
                            trailers: bytes.extracting(consumed - length..<consumed), into: &sink)
                    }
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
        return limit > 0 && exchanges[exchange].requestBodyBytes > limit
    }

    /// Moves the input to the chain.
    ///
    /// The end of a chunked body with trailers is stored as HTTP/1.1 sends it; FastCGI takes no
    /// trailers.
    func storeBody(_ exchange: Int, _ downstream: Int) -> BodyFill {
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

    /// More of a chunked body follows the stored part: ends the chunk that it is sent as.
    func endStoredChunk(_ exchange: Int) {
        guard exchanges[exchange].isRequestChunked, exchanges[exchange].requestBodyBytes > 0,
            !plan.routes.plans[Int(exchanges[exchange].route)].isFastCGI
        else { return }
        let ended: Void? = buffers.withLast(of: &exchanges[exchange].stored) { block in
            // Data leaves this much room in its block: `bodyOverhead`.
            _ = block.write { $0.append("\r\n") }
        }
        precondition(ended != nil, "data is stored in a block")
    }

    /// Records the position in the body, so that it can be sent again from its beginning.
    func keepBody(_ exchange: Int) {
        let downstream = Int(exchanges[exchange].downstream)
        downstreams[downstream].floor.stop()
        downstreams[downstream].input.compact(to: exchanges[exchange].headLength)
        exchanges[exchange].keptBody = exchanges[exchange].requestBody
        exchanges[exchange].keptBytes = exchanges[exchange].requestBodyBytes
    }

    /// Goes back to the beginning of a stored body; harmless when nothing was sent.
    func rewindBody(_ exchange: Int) {
        guard exchanges[exchange].machine.traits.hasBody, exchanges[exchange].machine.bodyIsKept
        else { return }
        let downstream = Int(exchanges[exchange].downstream)
        exchanges[exchange].storedCursor = ChainCursor()
        exchanges[exchange].requestBody = exchanges[exchange].keptBody
        exchanges[exchange].requestBodyBytes = exchanges[exchange].keptBytes
        downstreams[downstream].input.unconsume(to: exchanges[exchange].headLength)
    }

    /// The stored body will not be sent again.
    func dropStoredBody(_ exchange: Int) {
        exchanges[exchange].machine.dropBody()
        buffers.release(&exchanges[exchange].stored)
        exchanges[exchange].storedCursor = ChainCursor()
    }

    /// Copies stored data, then arriving data, as much as fits.
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
