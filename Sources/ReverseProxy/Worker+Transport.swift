internal import Backends
internal import Reactor

/// Bytes in and out of a client's connection, whatever carries them: the one place that knows.
extension Worker {
    /// Reads once into the client's input, and remembers whether there is more to be read.
    func readClient(_ place: Int) -> Transfer {
        let room = downstreams[place].input.room
        let transfer = downstreams[place].socket.receive(into: &downstreams[place].input)
        switch transfer {
        case .moved(let count):
            // A short read has emptied the socket; what follows raises a new edge. Not so when the
            // client's end is due: it has raised its edge already.
            if count < room, !downstreams[place].peerClosed {
                downstreams[place].isReadable = false
            }
        case .wouldBlock:
            downstreams[place].isReadable = false
        case .end, .failed:
            break
        }
        return transfer
    }

    /// Sends once of the client's output; what was taken is consumed.
    func writeClient(_ place: Int) -> Transfer {
        downstreams[place].socket.send(from: &downstreams[place].output)
    }

    /// Asks for an event, or no more for one, when the client takes bytes again.
    func watchClientWrites(_ place: Int, _ wanted: Bool) {
        guard downstreams[place].wantsWrite != wanted else { return }
        downstreams[place].wantsWrite = wanted
        let token = EventToken(.downstream, place: place, serial: downstreams.serial(place))
        loop.setWritable(wanted, downstreams[place].socket.descriptor, token: token.rawValue)
    }

    /// The client sees the end of the stream; what it sends is still read.
    func shutdownClientWrite(_ place: Int) { downstreams[place].socket.shutdownWrite() }

    /// Reads once from a process, and remembers whether there is more to be read.
    func readProcess(_ place: Int) -> Transfer {
        let room = upstreams[place].input.room
        let transfer = upstreams[place].socket.receive(into: &upstreams[place].input)
        switch transfer {
        case .moved(let count):
            if count < room, !upstreams[place].peerClosed { upstreams[place].isReadable = false }
        case .wouldBlock:
            upstreams[place].isReadable = false
        case .end, .failed:
            break
        }
        return transfer
    }

    /// Sends once of what is ready for a process; what was taken is consumed.
    func writeProcess(_ place: Int) -> Transfer {
        upstreams[place].socket.send(from: &upstreams[place].output)
    }

    /// Asks for an event, or no more for one, when the process takes bytes again.
    func watchProcessWrites(_ place: Int, _ wanted: Bool) {
        guard upstreams[place].wantsWrite != wanted else { return }
        upstreams[place].wantsWrite = wanted
        let token = EventToken(.upstream, place: place, serial: upstreams.serial(place))
        loop.setWritable(wanted, upstreams[place].socket.descriptor, token: token.rawValue)
    }
}
