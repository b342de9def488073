internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// Bytes from and to a client, over whatever carries them, and the end of that.
extension Downstreams {
    /// Reads once into the client's input, and remembers whether there is more to be read.
    func read(_ place: Int) -> Transfer {
        buffers.makeRoomForReading(&self[place].input)
        switch self[place].carrier {
        case .connection(let transport):
            return transport.receive(
                into: &self[place].input, &self[place].isReadable,
                peerClosed: self[place].peerClosed)
        case .stream(let stream):
            let transfer = readStream(place, stream)
            if transfer.isBlocked { self[place].isReadable = false }
            return transfer
        }
    }

    /// Sends once of the client's output; what was taken is consumed.
    func write(_ place: Int) -> Transfer {
        switch self[place].carrier {
        case .connection(let transport): transport.send(from: &self[place].output)
        case .stream(let stream): writeStream(place, stream)
        }
    }

    /// Asks for an event, or no more for one, when the client takes bytes again.
    func watchWrites(_ place: Int, _ wanted: Bool) {
        guard self[place].wantsWrite != wanted else { return }
        self[place].wantsWrite = wanted
        switch self[place].carrier {
        case .connection(let transport):
            loop.setWritable(
                wanted, transport.socket.descriptor, token: token(place).rawValue)
        // Its connection tells by itself.
        case .stream: break
        }
    }

    /// The client sees the end of the stream; what it sends is still read.
    func shutdownWrite(_ place: Int) {
        switch self[place].carrier {
        case .connection(let transport): transport.shutdownWrite()
        case .stream(let stream): finishStream(stream)
        }
    }

    /// Ends what carries the bytes.
    ///
    /// - Parameter abortively: the client must not take what it has got for all there was.
    private func closeCarrier(_ place: Int, abortively: Bool) {
        switch self[place].carrier {
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
    func close(_ place: Int, abortively: Bool) {
        closeCarrier(place, abortively: abortively)
        let isStream = self[place].carrier.isStream
        release(place)
        if isStream { countOutStream() } else { countOut() }
    }
}
