internal import Backends
internal import Exchanges
internal import Glibc
internal import HTTPWire
internal import Reactor
internal import Settings

/// Connections as they come: dealt to the loops, adopted, and given up by a drain.
extension Worker {
    func acceptPending() {
        acceptor.acceptPending(limit: settings.limits.connections) { socket, address, listener in
            deal(socket, address, from: listener)
        }
    }

    private func deal(_ socket: StreamSocket, _ address: SocketAddress, from listener: Int) {
        let target = shared.leastLoaded()
        shared.connectionOpened(worker: target)
        if target == index {
            adopt(socket, address, from: listener)
        } else {
            shared.shares[target].mailbox.post(.accepted(socket, address, listener))
        }
    }

    /// Takes a connection into this loop and reads at once: the request is usually there already.
    func adopt(_ socket: StreamSocket, _ address: SocketAddress, from listener: Int) {
        counters.add(.accepted)
        let ip = address.ip.map { IPAddress(high: $0.high, low: $0.low) }
        if let successor = drain.successor, listener < settings.listeners.count,
            let settings = settings.listeners[listener]
        {
            successor(
                MovedConnection(
                    socket: socket, listener: settings.place, stage: .untouched, address: ip))
            return shared.connectionClosed(worker: index)
        }
        guard let place = downstreams.enter(socket, address: ip, from: listener) else { return }
        if drain.isDraining { downstreams[place].keepAlive = false }
        greet(place)
    }

    /// Stops listening and closes idle connections; those under way end after their response.
    ///
    /// A successor goes on listening on the same sockets, and takes what can be moved.
    func beginDraining(until deadline: Int64, _ purpose: DrainPurpose) {
        drain.begin(until: deadline, purpose, now: now)
        acceptor.end(leavesThem: drain.successor != nil)
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            drainDownstream(place)
        }
        if drain.successor == nil { upstreams.closeAllAbandoned() }
        if index == 0 { shared.acceptingEnded() }
    }

    private func drainDownstream(_ place: Int) {
        switch downstreams[place].phase {
        case .greeting, .handshaking, .idle:
            if drain.successor == nil { return closeDownstream(place) }
            if moveOn(place) { return }
            // A request may be on its way on it, and nobody is to lose one.
            downstreams[place].keepAlive = false
            downstreams.setDeadline(place, after: Self.lastRequest)
        case .multiplexed:
            finishMultiplexing(place)
        case .exchange:
            if moveOn(place) { return }
            // A client that was promised to be kept is, for as long as an idle one.
            let isPromised =
                exchanges[Int(downstreams[place].exchange)].responsePhase != .awaitingHead
            if isMovable(place) || drain.successor != nil && isPromised { return }
            downstreams[place].keepAlive = false
            if drain.endsEndless { endEndless(Int(downstreams[place].exchange)) }
        case .receivingHead:
            if moveOn(place) { return }
            if !isMovable(place) { downstreams[place].keepAlive = false }
        case .lingering:
            return
        }
    }

    /// Closes every connection, whatever it is at.
    func closeEverything() {
        drain.deadlineMet()
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            sayGoodbye(place)
        }
        flushMultiplexers()
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            abandonDownstream(place)
        }
        upstreams.closeAll()
    }
}
