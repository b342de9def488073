internal import Exchanges
internal import HTTPWire
internal import Reactor

/// Writing to the client of a transfer.
extension FilePump {
    /// Sends from the file to a clear-text socket, behind the output.
    func send(_ exchange: Int, _ entry: Int, _ transfer: Int, atMost most: Int) -> Transfer {
        if !downstreams[entry].output.isEmpty {
            switch flushBeforeFile(entry) {
            case .done: break
            case .blocked: return .wouldBlock
            case .broken: return .failed(0)
            }
        }
        let position = transfers[transfer].position
        let count = min(most, Int(transfers[transfer].end - position))
        let sent = downstreams[entry].carrier.transport.socket.send(
            transfers[transfer].file, at: position, atMost: count)
        switch sent {
        case .moved(let count): advance(exchange, transfer, count)
        case .wouldBlock: awaitTaking(entry)
        case .end: break
        case .failed(let code):
            guard ServedFile.cannotBeSent(code) else { return sent }
            transfers[transfer].copies = true
            return .moved(0)
        }
        return sent
    }

    /// Sends the pending output, which bytes of a file follow at once.
    private func flushBeforeFile(_ entry: Int) -> FlushOutcome {
        guard downstreams[entry].backlog.isEmpty else { return downstreams.flush(entry) }
        let socket = downstreams[entry].carrier.transport.socket
        while !downstreams[entry].output.isEmpty {
            switch socket.sendBeforeFile(from: &downstreams[entry].output) {
            case .moved: continue
            case .wouldBlock:
                awaitTaking(entry)
                return .blocked
            case .end, .failed: return .broken
            }
        }
        buffers.release(&downstreams[entry].output)
        return .done
    }

    /// The client takes no more now: an event follows, or its deadline passes.
    private func awaitTaking(_ entry: Int) {
        downstreams.watchWrites(entry, true)
        downstreams.setWritingDeadline(entry)
    }

    /// Reads from the file into the output, and sends that.
    func copy(_ exchange: Int, _ entry: Int, _ transfer: Int, atMost most: Int) -> Transfer {
        buffers.equip(&downstreams[entry].output)
        var count = 0
        if downstreams[entry].output.room >= Self.leastRoom {
            let position = transfers[transfer].position
            let read = transfers[transfer].file.read(
                into: &downstreams[entry].output, at: position,
                atMost: min(most, Int(transfers[transfer].end - position)))
            guard case .moved(let got) = read else { return read == .end ? .end : .failed(0) }
            count = got
            advance(exchange, transfer, got)
            transfers[transfer].inOutput += got
        }
        return flushed(entry, transfer, count)
    }

    /// Writes what stands before the next part, or the end.
    func beginPart(_ exchange: Int, _ entry: Int, _ transfer: Int) -> Transfer {
        buffers.equip(&downstreams[entry].output)
        let before = downstreams[entry].output.count
        var range: Range<Int64> = 0..<0
        let fits = downstreams[entry].output.write { sink in
            var parts = transfers.parts[transfer]
            range = parts?.writeNext(into: &sink) ?? range
            if !sink.overflowed { transfers.parts[transfer] = parts }
        }
        // There was no room: what is in the output goes first.
        guard fits else { return flushed(entry, transfer, before) }
        let written = downstreams[entry].output.count - before
        exchanges[exchange].bytesToClient &+= UInt64(written)
        transfers[transfer].position = range.lowerBound
        transfers[transfer].end = range.upperBound
        transfers[transfer].inOutput = 0
        return .moved(written)
    }

    private func flushed(_ entry: Int, _ transfer: Int, _ count: Int) -> Transfer {
        switch downstreams.flush(entry) {
        case .done:
            transfers[transfer].inOutput = 0
            return .moved(count)
        case .blocked: return .wouldBlock
        case .broken: return .failed(0)
        }
    }

    private func advance(_ exchange: Int, _ transfer: Int, _ count: Int) {
        transfers[transfer].position += Int64(count)
        exchanges[exchange].bytesToClient &+= UInt64(count)
    }
}
