internal import Exchanges
internal import HTTPWire
internal import Reactor

/// A request to a FastCGI process: what is left of its parameters, its body in records, and the empty record
/// that ends each, one without a body too.
extension RequestBodies {
    /// The same as `fillRequest`.
    func fillRecords(_ exchange: Int, _ downstream: Int, _ upstream: Int) -> BodyFill {
        buffers.equip(&upstreams[upstream].output)
        guard fillHead(upstream), fillStored(exchange, upstream) else { return .full }
        let filled = decodeBody(
            exchange, downstream, into: &upstreams[upstream].output, upstreams[upstream].codec)
        guard filled == .ended, !upstreams[upstream].inputIsEnded else { return filled }
        let fits = upstreams[upstream].output.write { sink in
            FastCGIRecords.writeInputHeader(length: 0, into: &sink)
        }
        guard fits else { return .full }
        upstreams[upstream].inputIsEnded = true
        return .ended
    }

    /// False: there is still more of it.
    private func fillHead(_ upstream: Int) -> Bool {
        guard !upstreams.unsentHeads.isEmpty, let rest = upstreams.unsentHeads[upstream] else {
            return true
        }
        let count = min(rest.count, upstreams[upstream].output.room)
        _ = upstreams[upstream].output.append(rest.span.extracting(0..<count))
        upstreams.unsentHeads[upstream] = count == rest.count ? nil : Array(rest[count...])
        return count == rest.count
    }

    /// Copies of what is stored as much as there is room for; false: there is more of it.
    private func fillStored(_ exchange: Int, _ upstream: Int) -> Bool {
        let stored = exchanges[exchange].stored
        while !exchanges[exchange].storedCursor.isAtEnd(of: stored) {
            guard upstreams[upstream].output.room > FastCGIRecords.headerLength else {
                return false
            }
            let start = upstreams[upstream].output.end
            upstreams[upstream].output.write { sink in
                FastCGIRecords.writeInputHeader(length: 0, into: &sink)
            }
            let content = upstreams[upstream].output.end
            buffers.copy(
                from: stored, at: &exchanges[exchange].storedCursor,
                into: &upstreams[upstream].output, atMost: FastCGIRecords.mostContent)
            let count = upstreams[upstream].output.end - content
            // An empty record would be the end.
            if count == 0 {
                upstreams[upstream].output.truncate(to: start)
                continue
            }
            upstreams[upstream].output.overwrite(
                at: start + 4, UInt8(truncatingIfNeeded: count >> 8))
            upstreams[upstream].output.overwrite(at: start + 5, UInt8(truncatingIfNeeded: count))
        }
        return true
    }
}
