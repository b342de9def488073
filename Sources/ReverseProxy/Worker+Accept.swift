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
    /// How long a connection that is idle at a hand-over may still bring a request.
    private static let lastRequest = Interval.seconds(1)

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
            // A fresh descriptor on a sound epoll: only lack of memory is left as a reason.
            preconditionFailure("cannot watch a listening socket: \(error)")
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
        var connection = Downstream(socket: socket, address: ip)
        connection.listener = Int32(truncatingIfNeeded: listener)
        guard let place = downstreams.insert(connection) else {
            socket.close()
            shared.connectionClosed(worker: index)
            return
        }
        counters.add(.connections)
        let token = EventToken(
            .downstream, place: place, serial: downstreams.serial(place))
        do {
            try loop.add(socket.descriptor, token: token.rawValue)
        } catch {
            closeDownstream(place)
            return
        }
        if isDraining { downstreams[place].keepAlive = false }
        greet(place)
    }

    /// Stops listening and closes idle connections; those under way end after their response.
    ///
    /// - Parameter handingOver: a successor goes on listening on the same sockets.
    func beginDraining(until deadline: Int64, handingOver: Bool) {
        isDraining = true
        drainDeadline = deadline
        for case let listener? in listeners {
            loop.remove(listener.descriptor)
            handingOver ? listener.leave() : listener.close()
        }
        listeners = []
        pendingListeners = []
        acceptRetryAt = Int64.max
        for place in downstreams.takenPlaces() {
            downstreams[place].keepAlive = false
            switch downstreams[place].phase {
            case .greeting, .handshaking, .idle:
                // A request may be on its way on it; with a successor there nobody is to lose one.
                if handingOver {
                    setDownstreamDeadline(place, after: Self.lastRequest)
                } else {
                    closeDownstream(place)
                }
            case .multiplexed: finishMultiplexing(place)
            case .receivingHead, .exchange, .lingering: continue
            }
        }
        if index == 0 { shared.acceptingEnded() }
    }

    /// Closes every connection, whatever it is at.
    func closeEverything() {
        drainDeadline = Int64.max
        for place in downstreams.takenPlaces() where downstreams.isTaken(place) {
            abandonDownstream(place)
        }
        for place in upstreams.takenPlaces() { closeUpstream(place) }
    }
}
