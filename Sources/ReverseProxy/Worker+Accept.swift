internal import Backends
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
            let token = EventToken(.listener, place: place, serial: 0)
            do {
                try loop.add(listener.descriptor, token: token.rawValue)
            } catch {
                // A fresh descriptor on a fresh epoll: only lack of memory is left as a reason.
                preconditionFailure("cannot watch a listening socket: \(error)")
            }
        }
    }

    func acceptPending() {
        let places = pendingListeners
        pendingListeners.removeAll(keepingCapacity: true)
        for place in places where place < listeners.count {
            if !accept(from: listeners[place]) { pendingListeners.append(place) }
        }
    }

    /// Accepts again after the limit or a lack of descriptors held it up.
    func resumeAccepting() {
        acceptRetryAt = Int64.max
        pendingListeners = Array(listeners.indices)
    }

    /// Takes what waits; false: there is more for the next turn.
    private func accept(from listener: ListeningSocket) -> Bool {
        for _ in 0..<Self.acceptsPerTurn {
            if shared.connections.load(ordering: .relaxed) >= settings.limits.connections {
                shared.acceptingPaused.store(true, ordering: .releasing)
                // One may have ended before the flag was up: look again soon in any case.
                acceptRetryAt = now + 100_000_000
                return true
            }
            switch listener.accept() {
            case .connection(let socket, let address): deal(socket, address)
            case .skipped: continue
            case .wouldBlock: return true
            case .exhausted:
                acceptRetryAt = now + 100_000_000
                return true
            }
        }
        return false
    }

    private func deal(_ socket: StreamSocket, _ address: SocketAddress) {
        let target = shared.leastLoaded()
        shared.connectionOpened(worker: target)
        if target == index {
            adopt(socket, address)
        } else {
            shared.shares[target].mailbox.post(.accepted(socket, address))
        }
    }

    /// Takes a connection into this loop and reads at once: the request is usually there already.
    func adopt(_ socket: StreamSocket, _ address: SocketAddress) {
        counters.add(.accepted)
        let connection = Downstream(socket: socket, peer: PeerText(address))
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
        setDownstreamDeadline(place, after: settings.timeouts.keepalive)
        readRequests(place)
    }

    /// Stops listening and closes idle connections; those under way end after their response.
    func beginDraining(until deadline: Int64) {
        isDraining = true
        drainDeadline = deadline
        for listener in listeners {
            loop.remove(listener.descriptor)
            listener.close()
        }
        listeners = []
        pendingListeners = []
        acceptRetryAt = Int64.max
        for place in downstreams.takenPlaces() {
            downstreams[place].keepAlive = false
            if downstreams[place].phase == .idle { closeDownstream(place) }
        }
    }

    /// Closes every connection, whatever it is at.
    func closeEverything() {
        drainDeadline = Int64.max
        for place in downstreams.takenPlaces() { abandonDownstream(place) }
        for place in upstreams.takenPlaces() { closeUpstream(place) }
    }
}
