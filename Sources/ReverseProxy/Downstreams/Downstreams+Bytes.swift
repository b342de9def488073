internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// Bytes from and to a client, over whatever carries them, and the end of that.
extension Downstreams {
    /// Reads once into the client's input, and remembers whether there is more to be read.
    func read(_ entry: Int) -> Transfer {
        buffers.makeRoomForReading(&self[entry].input)
        switch self[entry].carrier {
        case .connection(let transport):
            return transport.receive(
                into: &self[entry].input, &self[entry].isReadable,
                peerClosed: self[entry].peerClosed)
        case .stream(let stream):
            let transfer = readStream(entry, stream)
            if transfer.isBlocked { self[entry].isReadable = false }
            return transfer
        }
    }

    /// Sends once of the client's output; what was taken is consumed.
    func write(_ entry: Int) -> Transfer {
        switch self[entry].carrier {
        case .connection(let transport): transport.send(from: &self[entry].output)
        case .stream(let stream): writeStream(entry, stream)
        }
    }

    /// Asks for an event, or no more for one, when the client takes bytes again.
    func watchWrites(_ entry: Int, _ wanted: Bool) {
        guard self[entry].wantsWrite != wanted else { return }
        self[entry].wantsWrite = wanted
        switch self[entry].carrier {
        case .connection(let transport):
            loop.setWritable(
                wanted, transport.socket.descriptor, token: token(entry).rawValue)
        // Its connection tells by itself.
        case .stream: break
        }
    }

    /// The client sees the end of the stream; what it sends is still read.
    func shutdownWrite(_ entry: Int) {
        switch self[entry].carrier {
        case .connection(let transport): transport.shutdownWrite()
        case .stream(let stream): finishStream(stream)
        }
    }

    /// Ends what carries the bytes.
    ///
    /// - Parameter abortively: the client must not take what it has got for all there was.
    private func closeCarrier(_ entry: Int, abortively: Bool) {
        switch self[entry].carrier {
        case .connection(let transport):
            transport.close(abortively: abortively)
            if !transport.isClear { buffers.connectionGaveHeap(now: now) }
        case .stream(let stream):
            closeStream(stream, abortively: abortively)
        }
    }

    /// Ends a connection or a stream, and gives back all that it holds.
    ///
    /// One that carries HTTP/2 is rid of its streams before, and of what processes keep for it.
    ///
    /// - Parameter abortively: the client must not take what it has got for all there was.
    func close(_ entry: Int, abortively: Bool) {
        closeCarrier(entry, abortively: abortively)
        let isStream = self[entry].carrier.isStream
        release(entry)
        if isStream { countOutStream() } else { countOut() }
    }
}
