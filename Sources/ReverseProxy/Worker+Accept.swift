internal import Backends
internal import Glibc
internal import HTTPWire
internal import Reactor
internal import Synchronization

/// Accepting: the first loop takes all connections and deals each to the loop with the fewest.
///
/// Measured against SO_REUSEPORT, dealing is even with few connections too, and costs one wake-up a
/// connection, nothing a request.
extension Worker {
    /// How many connections one turn takes before the others' events are looked at.
    private static let acceptsPerTurn = 64

    func registerListeners() {
        for (place, listener) in listeners.enumerated() {
            if let listener { watch(listener, place: place) }
        }
    }

    func watch(_ listener: ListeningSocket, place: Int) {
        let token = EventToken(.listener, place: place, serial: 0)
        do {
            try loop.add(listener.descriptor, token: token.rawValue)
        } catch {
            // A fresh descriptor on a sound epoll: only a lack of memory is left as a reason.
            shared.mishaps.note(
                .accepting, now: now,
                "new connections wait, for their listening socket cannot be watched: \(error);"
                    + " \(SystemError.remedy(error.errno))")
            unwatchedListeners.append(place)
            acceptRetryAt = now + 100_000_000
        }
    }

    func acceptPending() {
        let places = pendingListeners
        pendingListeners.removeAll(keepingCapacity: true)
        for place in places where place < listeners.count {
            guard let listener = listeners[place] else { continue }
            if !accept(from: listener, place: place) { pendingListeners.append(place) }
        }
    }

    /// Accepts again after the limit or a lack of descriptors held it up.
    func resumeAccepting() {
        acceptRetryAt = Int64.max
        let unwatched = unwatchedListeners
        unwatchedListeners = []
        for place in unwatched where place < listeners.count {
            if let listener = listeners[place] { watch(listener, place: place) }
        }
        pendingListeners = Array(listeners.indices)
    }

    /// Takes what waits; false: there is more for the next turn.
    private func accept(from listener: ListeningSocket, place: Int) -> Bool {
        for _ in 0..<Self.acceptsPerTurn {
            if shared.connections.load(ordering: .relaxed) >= settings.limits.connections {
                shared.acceptingPaused.store(true, ordering: .releasing)
                shared.mishaps.note(
                    .connectionLimit, now: now,
                    "\(settings.limits.connections) connections are open, the most that"
                        + " limits.connections allows; new ones wait")
                // One may have ended before the flag was up: look again soon in any case.
                acceptRetryAt = now + 100_000_000
                return true
            }
            switch listener.accept() {
            case .connection(let socket, let address): deal(socket, address, from: place)
            case .skipped: continue
            case .wouldBlock: return true
            case .exhausted(let code):
                shared.mishaps.note(
                    .accepting, now: now,
                    "new connections wait, for they cannot be accepted:"
                        + " \(SystemError.message(code)); \(SystemError.remedy(code))")
                acceptRetryAt = now + 100_000_000
                return true
            }
        }
        return false
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
        if let successor, listener < settings.listeners.count,
            let settings = settings.listeners[listener]
        {
            successor(
                MovedConnection(
                    socket: socket, listener: settings.place, stage: .untouched, address: ip))
            return shared.connectionClosed(worker: index)
        }
        guard let place = enter(socket, address: ip, from: listener) else { return }
        if isDraining { downstreams[place].keepAlive = false }
        greet(place)
    }

    /// Watches a connection that is counted already; nil: there is no place for it, and it is closed.
    func enter(_ socket: StreamSocket, address: IPAddress?, from listener: Int) -> Int? {
        var connection = Downstream(socket: socket, address: address)
        connection.listener = Int32(truncatingIfNeeded: listener)
        guard let place = downstreams.insert(connection) else {
            socket.close()
            shared.connectionClosed(worker: index)
            return nil
        }
        counters.add(.connections)
        let token = EventToken(
            .downstream, place: place, serial: downstreams.serial(place))
        do {
            try loop.add(socket.descriptor, token: token.rawValue)
        } catch {
            closeDownstream(place)
            return nil
        }
        return place
    }

    /// Stops listening and closes idle connections; those under way end after their response.
    ///
    /// A successor goes on listening on the same sockets, and takes what can be moved.
    func beginDraining(until deadline: Int64, _ purpose: DrainPurpose) {
        isDraining = true
        drainingSince = now
        drainDeadline = deadline
        switch purpose {
        case .end: endsEndless = true
        case .leave: break
        case .handOver(let taker): successor = taker
        }
        for case let listener? in listeners {
            loop.remove(listener.descriptor)
            successor != nil ? listener.leave() : listener.close()
        }
        listeners = []
        pendingListeners = []
        acceptRetryAt = Int64.max
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            drainDownstream(place)
        }
        if successor == nil { releaseAllAbandoned() }
        if index == 0 { shared.acceptingEnded() }
    }

    private func drainDownstream(_ place: Int) {
        switch downstreams[place].phase {
        case .greeting, .handshaking, .idle:
            if successor == nil { return closeDownstream(place) }
            if moveOn(place) { return }
            // A request may be on its way on it, and nobody is to lose one.
            downstreams[place].keepAlive = false
            setDownstreamDeadline(place, after: Self.lastRequest)
        case .multiplexed:
            finishMultiplexing(place)
        case .exchange:
            if moveOn(place) { return }
            // A client that was promised to be kept is, for as long as an idle one.
            let isPromised =
                exchanges[Int(downstreams[place].exchange)].responsePhase != .awaitingHead
            if isMovable(place) || successor != nil && isPromised { return }
            downstreams[place].keepAlive = false
            if endsEndless { endEndless(Int(downstreams[place].exchange)) }
        case .receivingHead:
            if moveOn(place) { return }
            if !isMovable(place) { downstreams[place].keepAlive = false }
        case .lingering:
            return
        }
    }

    /// Closes every connection, whatever it is at.
    func closeEverything() {
        drainDeadline = Int64.max
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            sayGoodbye(place)
        }
        flushMultiplexers()
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            abandonDownstream(place)
        }
        for place in upstreams.takenPlaces() where upstreams.isTaken(place) { closeUpstream(place) }
    }
}
