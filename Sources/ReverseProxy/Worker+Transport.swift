internal import Backends
internal import HTTPWire
internal import Reactor

/// Bytes in and out of a client's connection, whatever carries them: the one place that knows.
extension Worker {
    /// Reads once into the client's input, and remembers whether there is more to be read.
    func readClient(_ place: Int) -> Transfer {
        buffers.makeRoomForReading(&downstreams[place].input)
        switch downstreams[place].carrier {
        case .connection(let transport):
            return transport.receive(
                into: &downstreams[place].input, &downstreams[place].isReadable,
                peerClosed: downstreams[place].peerClosed)
        case .stream(let stream):
            let transfer = readStream(place, stream)
            if transfer.isBlocked { downstreams[place].isReadable = false }
            return transfer
        }
    }

    /// Sends once of the client's output; what was taken is consumed.
    func writeClient(_ place: Int) -> Transfer {
        switch downstreams[place].carrier {
        case .connection(let transport): transport.send(from: &downstreams[place].output)
        case .stream(let stream): writeStream(place, stream)
        }
    }

    /// Asks for an event, or no more for one, when the client takes bytes again.
    func watchClientWrites(_ place: Int, _ wanted: Bool) {
        guard downstreams[place].wantsWrite != wanted else { return }
        downstreams[place].wantsWrite = wanted
        switch downstreams[place].carrier {
        case .connection(let transport):
            loop.setWritable(
                wanted, transport.socket.descriptor, token: token(client: place).rawValue)
        // Its connection tells by itself.
        case .stream: break
        }
    }

    /// The client sees the end of the stream; what it sends is still read.
    func shutdownClientWrite(_ place: Int) {
        switch downstreams[place].carrier {
        case .connection(let transport): transport.shutdownWrite()
        case .stream(let stream): finishStream(stream)
        }
    }

    /// Ends what carries the bytes.
    ///
    /// - Parameter abortively: the client must not take what it has got for all there was.
    func closeCarrier(_ place: Int, abortively: Bool) {
        switch downstreams[place].carrier {
        case .connection(let transport):
            transport.close(abortively: abortively)
            if !transport.isClear { buffers.connectionGaveHeap(now: now) }
        case .stream(let stream):
            closeStream(stream, abortively: abortively)
        }
    }
}
