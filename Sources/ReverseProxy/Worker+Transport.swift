internal import Backends
internal import HTTPWire
internal import Reactor

/// Bytes in and out of a connection, whatever carries them: the one place that knows.
extension Worker {
    /// Reads once into the client's input, and remembers whether there is more to be read.
    func readClient(_ place: Int) -> Transfer {
        buffers.makeRoomForReading(&downstreams[place].input)
        let transfer: Transfer
        switch downstreams[place].carrier {
        case .socket:
            let room = downstreams[place].input.room
            transfer = downstreams[place].socket.receive(into: &downstreams[place].input)
            // A short read has emptied the socket; what follows raises a new edge. Not so when the
            // client's end is due: it has raised its edge already.
            if case .moved(let count) = transfer, count < room, !downstreams[place].peerClosed {
                downstreams[place].isReadable = false
            }
        case .tls:
            transfer =
                downstreams[place].tls?.receive(into: &downstreams[place].input) ?? .end
        case .stream:
            transfer = readStream(place)
        }
        if transfer.isBlocked { downstreams[place].isReadable = false }
        return transfer
    }

    /// Sends once of the client's output; what was taken is consumed.
    func writeClient(_ place: Int) -> Transfer {
        switch downstreams[place].carrier {
        case .socket: downstreams[place].socket.send(from: &downstreams[place].output)
        case .tls: downstreams[place].tls?.send(from: &downstreams[place].output) ?? .end
        case .stream: writeStream(place)
        }
    }

    /// Asks for an event, or no more for one, when the client takes bytes again.
    func watchClientWrites(_ place: Int, _ wanted: Bool) {
        guard downstreams[place].wantsWrite != wanted else { return }
        downstreams[place].wantsWrite = wanted
        // A stream's connection tells by itself.
        if downstreams[place].carrier == .stream { return }
        loop.setWritable(
            wanted, downstreams[place].socket.descriptor, token: token(client: place).rawValue)
    }

    /// The client sees the end of the stream; what it sends is still read.
    func shutdownClientWrite(_ place: Int) {
        switch downstreams[place].carrier {
        case .socket: downstreams[place].socket.shutdownWrite()
        case .tls:
            downstreams[place].tls?.shutdown()
            downstreams[place].socket.shutdownWrite()
        case .stream: finishStream(place)
        }
    }

    /// Ends what carries the bytes.
    ///
    /// - Parameter abortively: the client must not take what it has got for all there was.
    func closeCarrier(_ place: Int, abortively: Bool) {
        switch downstreams[place].carrier {
        case .socket:
            abortively ? downstreams[place].socket.abort() : downstreams[place].socket.close()
        case .tls:
            // Without close_notify a client knows that it was cut off (RFC 8446 section 6.1).
            if !abortively { downstreams[place].tls?.shutdown() }
            downstreams[place].tls?.free()
            downstreams[place].tls = nil
            buffers.connectionGaveHeap(now: now)
            abortively ? downstreams[place].socket.abort() : downstreams[place].socket.close()
        case .stream:
            closeStream(place, abortively: abortively)
        }
    }

    /// Reads once from a process, and remembers whether there is more to be read.
    func readProcess(_ place: Int) -> Transfer {
        let transfer: Transfer
        if upstreams[place].tls == nil {
            let room = upstreams[place].input.room
            transfer = upstreams[place].socket.receive(into: &upstreams[place].input)
            if case .moved(let count) = transfer, count < room, !upstreams[place].peerClosed {
                upstreams[place].isReadable = false
            }
        } else {
            transfer = upstreams[place].tls?.receive(into: &upstreams[place].input) ?? .end
        }
        if transfer.isBlocked { upstreams[place].isReadable = false }
        return transfer
    }

    /// Sends once of what is ready for a process; what was taken is consumed.
    func writeProcess(_ place: Int) -> Transfer {
        if upstreams[place].tls == nil {
            return upstreams[place].socket.send(from: &upstreams[place].output)
        }
        return upstreams[place].tls?.send(from: &upstreams[place].output) ?? .end
    }

    /// The process sees the end of the stream; what it sends is still read.
    func shutdownProcessWrite(_ place: Int) { upstreams[place].socket.shutdownWrite() }

    /// Asks for an event, or no more for one, when the process takes bytes again.
    func watchProcessWrites(_ place: Int, _ wanted: Bool) {
        guard upstreams[place].wantsWrite != wanted else { return }
        upstreams[place].wantsWrite = wanted
        loop.setWritable(
            wanted, upstreams[place].socket.descriptor, token: token(process: place).rawValue)
    }

    /// Ends the connection to a process.
    func closeProcessCarrier(_ place: Int) {
        if upstreams[place].tls != nil {
            upstreams[place].tls?.shutdown()
            upstreams[place].tls?.free()
            upstreams[place].tls = nil
        }
        if upstreams[place].phase != .postponed { upstreams[place].socket.close() }
    }
}
