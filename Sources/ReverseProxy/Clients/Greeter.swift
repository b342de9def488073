internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// What comes before a connection's first request: the PROXY header, TLS, the choice of a version.
///
/// Belongs to the loop's thread.
final class Greeter {
    /// The loop's.
    private let index: Int
    private let shared: SharedState
    private let downstreams: Downstreams
    private let buffers: Buffers
    private let plan: Plan
    private let agenda: Agenda
    private let drain: DrainState
    private let counters: LoopCounters
    private let clientEnds: ClientEnds

    init(_ owners: Owners, clientEnds: ClientEnds) {
        index = owners.index
        shared = owners.shared
        downstreams = owners.downstreams
        buffers = owners.buffers
        plan = owners.plan
        agenda = owners.agenda
        drain = owners.drain
        counters = owners.counters
        self.clientEnds = clientEnds
    }

    /// What follows for a connection.
    enum Outcome {
        /// More has to come, or it has ended.
        case wait
        /// The first request may come.
        case requests
        /// It speaks HTTP/2, as was agreed with TLS.
        case frames
        /// It is answered with that.
        case reject(HTTPProblem)
    }

    // MARK: New connections

    /// Takes in a connection that was just accepted; nil: it has gone on to a successor, or is closed.
    func enter(_ socket: StreamSocket, _ address: SocketAddress, from listener: Int) -> Int? {
        counters.add(.accepted)
        let ip = address.ip.map { IPAddress(high: $0.high, low: $0.low) }
        let settings = plan.settings
        if let successor = drain.successor, listener < settings.listeners.count,
            let settings = settings.listeners[listener]
        {
            successor(
                MovedConnection(
                    socket: socket, listener: settings.place, stage: .untouched, address: ip))
            shared.connectionClosed(worker: index)
            return nil
        }
        guard let place = downstreams.enter(socket, address: ip, from: listener) else { return nil }
        if drain.isDraining { downstreams[place].keepAlive = false }
        return place
    }

    /// Takes in a connection that another balancer has begun with; nil: as above.
    func enter(_ moved: MovedConnection, from listener: Int) -> Int? {
        if let successor = drain.successor {
            successor(moved)
            shared.connectionClosed(worker: index)
            return nil
        }
        return downstreams.enter(moved.socket, address: moved.address, from: listener)
    }

    /// Begins with a connection that was just accepted.
    func greet(_ place: Int) -> Outcome {
        guard let listener = plan.listener(downstreams[place].listener) else {
            return close(place)
        }
        if listener.proxyProtocol {
            downstreams.setDeadline(place, after: plan.settings.timeouts.header)
            return readGreeting(place)
        }
        return secure(place)
    }

    /// Goes on with a connection where another balancer has left off.
    func greet(_ place: Int, _ moved: MovedConnection) -> Outcome {
        guard !drain.isDraining, let settings = plan.listener(downstreams[place].listener) else {
            return close(place)
        }
        if moved.stage == .untouched { return greet(place) }
        // Under the new configuration it would have to be something else.
        if settings.tls != nil { return close(place) }
        downstreams[place].isSecure = moved.isSecure
        downstreams[place].isFresh = moved.stage == .fresh
        introduce(place, settings)
        if moved.unread.isEmpty { return beginRequests(place) }
        buffers.equip(&downstreams[place].input)
        guard downstreams[place].input.append(moved.unread.span) else { return close(place) }
        downstreams[place].move(to: .receivingHead)
        downstreams.beginHead(place)
        agenda.readAgain(place)
        return .wait
    }

    private func close(_ place: Int) -> Outcome {
        clientEnds.close(place)
        return .wait
    }

    // MARK: PROXY and TLS

    /// Reads the PROXY header, and no byte more: what follows may be TLS.
    func readGreeting(_ place: Int) -> Outcome {
        buffers.equip(&downstreams[place].input)
        downstreams[place].input.rewind()
        let socket = downstreams[place].carrier.transport.socket
        switch socket.peek(into: &downstreams[place].input) {
        case .moved: break
        case .wouldBlock:
            buffers.release(&downstreams[place].input)
            return .wait
        case .end, .failed: return close(place)
        }
        let parsed = unsafe ProxyHeader.parse(downstreams[place].input.bytes)
        buffers.release(&downstreams[place].input)
        switch parsed {
        case .incomplete:
            // The end of it raises an edge; one that has come meanwhile has raised it already.
            return downstreams[place].peerClosed ? close(place) : .wait
        case .invalid:
            counters.add(.greetingsRefused)
            return close(place)
        case .local(let length):
            socket.discard(length)
            return secure(place)
        case .parsed(let header):
            socket.discard(header.length)
            // Whether TLS ended at the sender counts like TLS here: it is asked for as a whole.
            downstreams[place].isSecure = header.isSecure
            downstreams[place].address = header.source.address
            return secure(place)
        }
    }

    /// Begins TLS where the listener has it; else the first request may come.
    private func secure(_ place: Int) -> Outcome {
        guard let listener = plan.listener(downstreams[place].listener) else {
            return close(place)
        }
        introduce(place, listener)
        guard let context = listener.tls else { return beginRequests(place) }
        let socket = downstreams[place].carrier.transport.socket
        guard let tls = TLSStream(accepting: context, descriptor: socket.descriptor) else {
            return close(place)
        }
        buffers.connectionTookHeap()
        downstreams[place].carrier = .connection(.secure(tls, socket))
        downstreams[place].move(to: .handshaking)
        downstreams.setDeadline(place, after: plan.settings.timeouts.header)
        wantHandshake(place)
        return .wait
    }

    /// Notes what follows from the client's address and the listener.
    private func introduce(_ place: Int, _ listener: ListenerSettings) {
        let address = downstreams[place].address
        downstreams[place].isTrusted =
            !listener.trusted.isEmpty && listener.trusted.contains(address)
        let isSecure = downstreams[place].isSecure || listener.tls != nil
        if isSecure || listener.proxyProtocol {
            downstreams[place].isSecure = isSecure
            downstreams[place].peer = PeerText(address, isSecure: isSecure)
        }
    }

    /// The first request may come.
    private func beginRequests(_ place: Int) -> Outcome {
        downstreams[place].move(to: .idle)
        downstreams.setDeadline(
            place, after: drain.isDraining ? Handover.lastRequest : plan.settings.timeouts.keepalive
        )
        return .requests
    }

    /// The handshake can go on, once others have had a step of theirs.
    func wantHandshake(_ place: Int) {
        agenda.continueHandshake(downstreams.token(place))
    }

    /// Takes a handshake a step further.
    func continueHandshake(_ place: Int) -> Outcome {
        guard case .connection(.secure(let tls, let socket)) = downstreams[place].carrier else {
            preconditionFailure("only a connection with TLS is in its handshake")
        }
        switch tls.handshake() {
        case .wantsRead:
            downstreams.watchWrites(place, false)
            return .wait
        case .wantsWrite:
            downstreams.watchWrites(place, true)
            return .wait
        case .failed(let problem):
            counters.add(.handshakesFailed)
            return problem.kind == .clearText
                ? rejectClearText(place, tls, socket) : close(place)
        case .done:
            downstreams.watchWrites(place, false)
            counters.add(.handshakes)
            downstreams[place].isReadable = true
            return tls.negotiated == .http2 ? .frames : beginRequests(place)
        }
    }

    /// A browser that was given `http://` for `https://` is told so, in what it speaks.
    private func rejectClearText(
        _ place: Int, _ tls: TLSStream, _ socket: StreamSocket
    ) -> Outcome {
        downstreams[place].carrier = .connection(.clear(socket))
        tls.free()
        buffers.connectionGaveHeap(now: downstreams.now)
        downstreams[place].isSecure = false
        return .reject(HTTPProblem(status: 400, reason: "plain HTTP on a port for HTTPS"))
    }
}
