internal import Backends
internal import HTTPWire
internal import Reactor

/// Connections that are kept between two requests go over to the balancer that takes over.
///
/// So no client meets a connection that is closed just as it sends, and what it sends next is placed
/// by whoever knows the processes.
extension Worker {
    /// How long a connection that cannot be moved may still bring a request.
    static let lastRequest = Interval.seconds(1)

    /// Whether it goes over when its exchange has ended; others are told `Connection: close`.
    func isMovable(_ place: Int) -> Bool {
        successor != nil && downstreams[place].carrier == .socket
    }

    /// Gives a connection to the successor if it is between two requests; false: it stays.
    func moveOn(_ place: Int) -> Bool {
        guard let successor, isMovable(place), !downstreams[place].peerClosed,
            downstreams[place].input.isEmpty, let listener = listener(of: place)
        else { return false }
        let stage: MovedConnection.Stage
        switch downstreams[place].phase {
        case .greeting: stage = .untouched
        case .idle: stage = downstreams[place].isFresh ? .fresh : .kept
        case .handshaking, .multiplexed, .receivingHead, .exchange, .lingering: return false
        }
        let moved = MovedConnection(
            socket: downstreams[place].socket, listener: listener.place, stage: stage,
            isSecure: downstreams[place].isSecure, address: downstreams[place].address)
        loop.remove(moved.socket.descriptor)
        releaseDownstream(place)
        // Before it is counted out: the last one may end the program.
        successor(moved)
        counters.subtract(.connections)
        shared.connectionClosed(worker: index)
        return true
    }

    /// Takes in a connection that another balancer has begun with.
    func settle(_ moved: MovedConnection, from listener: Int) {
        if let successor {
            successor(moved)
            return shared.connectionClosed(worker: index)
        }
        guard let place = enter(moved.socket, address: moved.address, from: listener) else {
            return
        }
        guard !isDraining, let settings = self.listener(of: place) else {
            return closeDownstream(place)
        }
        if moved.stage == .untouched { return greet(place) }
        // Under the new configuration it would have to be something else.
        if settings.tls != nil { return closeDownstream(place) }
        downstreams[place].isSecure = moved.isSecure
        downstreams[place].isFresh = moved.stage == .fresh
        secure(place)
    }
}
