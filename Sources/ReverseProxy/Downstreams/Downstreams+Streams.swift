internal import HTTPWire
internal import Reactor

/// HTTP/2 streams, whose bytes are carried by their connection's frames.
extension Downstreams {
    func readStream(_ entry: Int, _ stream: Carrier.StreamReference) -> Transfer {
        // Its connection has just closed, and so has the stream.
        guard let multiplexer = multiplexers[Int(stream.parent)] else { return .end }
        let room = unsafe UnsafeMutableRawBufferPointer(self[entry].input.writable)
        switch unsafe multiplexer.connection.read(stream.number, into: room) {
        case .moved(let count):
            self[entry].input.commit(count)
            // Reading opens the window, which needs a WINDOW_UPDATE for the client.
            noteUnsent(Int(stream.parent))
            return .moved(count)
        case .wouldBlock: return .wouldBlock
        case .end: return .end
        case .reset: return .failed(0)
        }
    }

    func writeStream(_ entry: Int, _ stream: Carrier.StreamReference) -> Transfer {
        guard let multiplexer = multiplexers[Int(stream.parent)] else { return .end }
        let bytes = unsafe UnsafeRawBufferPointer(self[entry].output.readable)
        multiplexer.connection.outputLimit = buffers.streamOutputLimit(
            multiplexer.connection.settings, streams: multiplexer.entries.count)
        let taken = unsafe multiplexer.connection.write(stream.number, bytes)
        if taken == 0 { return .wouldBlock }
        self[entry].output.consume(taken)
        noteUnsent(Int(stream.parent))
        return .moved(taken)
    }

    /// Ends the response direction of the stream.
    func finishStream(_ stream: Carrier.StreamReference) {
        multiplexers[Int(stream.parent)]?.connection.finish(stream.number)
        noteUnsent(Int(stream.parent))
    }

    /// Removes the stream from its connection, unless that has closed.
    func closeStream(_ stream: Carrier.StreamReference, abortively: Bool) {
        let parent = Int(stream.parent)
        guard let multiplexer = multiplexers[parent] else { return }
        if abortively {
            multiplexer.connection.reset(stream.number)
        } else {
            multiplexer.connection.finish(stream.number)
        }
        multiplexer.connection.forget(stream.number)
        multiplexer.entries[stream.number] = nil
        if multiplexer.entries.isEmpty { setIdleDeadline(parent, multiplexer) }
        noteUnsent(parent)
    }

    /// The number of streams that share the connection's allowance; 1 for a connection.
    func streamsSharing(_ entry: Int) -> Int {
        guard case .stream(let stream) = self[entry].carrier,
            let multiplexer = multiplexers[Int(stream.parent)]
        else { return 1 }
        return multiplexer.entries.count
    }

    func noteUnsent(_ entry: Int) {
        guard isTaken(entry), !self[entry].isUnsent else { return }
        self[entry].isUnsent = true
        agenda.send(entry)
    }
}
