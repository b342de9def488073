internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// Reading from and writing to a client, over its carrier, and closing it.
extension Downstreams {
    /// Reads once into the client's input, and records whether there may be more.
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

    /// Sends the client's output once; consumes what was sent.
    func write(_ entry: Int) -> Transfer {
        switch self[entry].carrier {
        case .connection(let transport): transport.send(from: &self[entry].output)
        case .stream(let stream): writeStream(entry, stream)
        }
    }

    /// Adds or removes the interest in an event when the client can be written to again.
    func watchWrites(_ entry: Int, _ wanted: Bool) {
        guard self[entry].wantsWrite != wanted else { return }
        self[entry].wantsWrite = wanted
        switch self[entry].carrier {
        case .connection(let transport):
            loop.setWritable(
                wanted, transport.socket.descriptor, token: token(entry).rawValue)
        // Its connection reports it.
        case .stream: break
        }
    }

    /// Closes the writing direction; input is still read.
    func shutdownWrite(_ entry: Int) {
        switch self[entry].carrier {
        case .connection(let transport): transport.shutdownWrite()
        case .stream(let stream): finishStream(stream)
        }
    }

    /// Closes the carrier.
    ///
    /// - Parameter abortively: the client must not take what it has received for complete.
    private func closeCarrier(_ entry: Int, abortively: Bool) {
        switch self[entry].carrier {
        case .connection(let transport):
            transport.close(abortively: abortively)
            if !transport.isClear { buffers.connectionGaveHeap(now: now) }
        case .stream(let stream):
            closeStream(stream, abortively: abortively)
        }
    }

    /// Closes a connection or a stream, and releases everything that it holds.
    ///
    /// Before closing an HTTP/2 connection, its streams and the upstream connections kept for it
    /// must be gone.
    ///
    /// - Parameter abortively: the client must not take what it has received for complete.
    func close(_ entry: Int, abortively: Bool) {
        closeCarrier(entry, abortively: abortively)
        let isStream = self[entry].carrier.isStream
        release(entry)
        if isStream { countOutStream() } else { countOut() }
    }
}
