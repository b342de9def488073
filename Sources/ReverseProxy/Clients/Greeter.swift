internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// Everything before a connection's first request: the PROXY header, TLS, the protocol choice.
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

    /// The next action for a connection.
    enum Outcome {
        /// More bytes are needed, or the connection was closed.
        case wait
        /// The first request may come.
        case requests
        /// It speaks HTTP/2, as negotiated in TLS.
        case frames
        /// Respond with this problem.
        case reject(HTTPProblem)
    }

    // MARK: New connections

    /// Adds a connection that was just accepted; nil: it was passed to a successor, or closed.
    func enter(_ socket: StreamSocket, _ address: SocketAddress, from listener: Int) -> Int? {
        counters.add(.accepted)
        let ip = address.ip.map { IPAddress(high: $0.high, low: $0.low) }
        let settings = plan.settings
        if let successor = drain.successor, listener < settings.listeners.count,
            let settings = settings.listeners[listener]
        {
            successor(
                MovedConnection(
                    socket: socket, listener: settings.address, stage: .untouched, address: ip))
            shared.connectionClosed(worker: index)
            return nil
        }
        guard let entry = downstreams.enter(socket, address: ip, from: listener) else { return nil }
        if drain.isDraining { downstreams[entry].keepAlive = false }
        return entry
    }

    /// Adds a connection that another balancer has begun to serve; nil: as above.
    func enter(_ moved: MovedConnection, from listener: Int) -> Int? {
        if let successor = drain.successor {
            successor(moved)
            shared.connectionClosed(worker: index)
            return nil
        }
        return downstreams.enter(moved.socket, address: moved.address, from: listener)
    }

    /// Starts with a connection that was just accepted.
    func greet(_ entry: Int) -> Outcome {
        guard let listener = plan.listener(downstreams[entry].listener) else {
            return close(entry)
        }
        if listener.proxyProtocol {
            downstreams.setDeadline(entry, after: plan.settings.timeouts.header)
            return readGreeting(entry)
        }
        return secure(entry)
    }

    /// Continues a connection where another balancer has stopped.
    func greet(_ entry: Int, _ moved: MovedConnection) -> Outcome {
        guard !drain.isDraining, let settings = plan.listener(downstreams[entry].listener) else {
            return close(entry)
        }
        if moved.stage == .untouched { return greet(entry) }
        // The new configuration expects TLS here, which the connection did not begin with.
        if settings.tls != nil { return close(entry) }
        downstreams[entry].isSecure = moved.isSecure
        downstreams[entry].isFresh = moved.stage == .fresh
        introduce(entry, settings)
        if moved.unread.isEmpty { return beginRequests(entry) }
        buffers.equip(&downstreams[entry].input)
        guard downstreams[entry].input.append(moved.unread.span) else { return close(entry) }
        downstreams[entry].move(to: .receivingHead)
        downstreams.beginHead(entry)
        agenda.readAgain(entry)
        return .wait
    }

    private func close(_ entry: Int) -> Outcome {
        clientEnds.close(entry)
        return .wait
    }

    // MARK: PROXY and TLS

    /// Reads the PROXY header, and not a byte more: TLS may follow.
    func readGreeting(_ entry: Int) -> Outcome {
        buffers.equip(&downstreams[entry].input)
        downstreams[entry].input.rewind()
        let socket = downstreams[entry].carrier.transport.socket
        switch socket.peek(into: &downstreams[entry].input) {
        case .moved: break
        case .wouldBlock:
            buffers.release(&downstreams[entry].input)
            return .wait
        case .end, .failed: return close(entry)
        }
        let parsed = unsafe ProxyHeader.parse(downstreams[entry].input.bytes)
        buffers.release(&downstreams[entry].input)
        switch parsed {
        case .incomplete:
            // The rest of it raises an edge; what has arrived meanwhile has raised one already.
            return downstreams[entry].peerClosed ? close(entry) : .wait
        case .invalid:
            counters.add(.greetingsRefused)
            return close(entry)
        case .local(let length):
            socket.discard(length)
            return secure(entry)
        case .parsed(let header):
            socket.discard(header.length)
            // TLS that ended at the sender counts like TLS here.
            downstreams[entry].isSecure = header.isSecure
            downstreams[entry].address = header.source.address
            return secure(entry)
        }
    }

    /// Starts TLS if the listener uses it; otherwise the first request may come.
    private func secure(_ entry: Int) -> Outcome {
        guard let listener = plan.listener(downstreams[entry].listener) else {
            return close(entry)
        }
        introduce(entry, listener)
        guard let context = listener.tls else { return beginRequests(entry) }
        let socket = downstreams[entry].carrier.transport.socket
        guard let tls = TLSStream(accepting: context, descriptor: socket.descriptor) else {
            return close(entry)
        }
        buffers.connectionTookHeap()
        downstreams[entry].carrier = .connection(.secure(tls, socket))
        downstreams[entry].move(to: .handshaking)
        downstreams.setDeadline(entry, after: plan.settings.timeouts.header)
        wantHandshake(entry)
        return .wait
    }

    /// Derives settings from the client's address and the listener.
    private func introduce(_ entry: Int, _ listener: ListenerSettings) {
        let address = downstreams[entry].address
        downstreams[entry].isTrusted =
            !listener.trusted.isEmpty && listener.trusted.contains(address)
        let isSecure = downstreams[entry].isSecure || listener.tls != nil
        if isSecure || listener.proxyProtocol {
            downstreams[entry].isSecure = isSecure
            downstreams[entry].peer = PeerText(address, isSecure: isSecure)
        }
    }

    /// How long to wait for the first request of a connection.
    private var patienceForFirst: Interval {
        guard drain.isDraining else { return plan.settings.timeouts.keepalive }
        // Its handshake has just ended, so a request is on its way, and TLS cannot be handed over.
        return drain.successor == nil ? Handover.lastRequest : plan.settings.timeouts.header
    }

    /// The first request may come.
    private func beginRequests(_ entry: Int) -> Outcome {
        downstreams[entry].move(to: .idle)
        downstreams.setDeadline(entry, after: patienceForFirst)
        return .requests
    }

    /// The handshake can continue, after others had a step.
    func wantHandshake(_ entry: Int) {
        agenda.continueHandshake(downstreams.token(entry))
    }

    /// Continues a handshake.
    func continueHandshake(_ entry: Int) -> Outcome {
        guard case .connection(.secure(let tls, let socket)) = downstreams[entry].carrier else {
            preconditionFailure("only a connection with TLS is in its handshake")
        }
        switch tls.handshake() {
        case .wantsRead:
            downstreams.watchWrites(entry, false)
            return .wait
        case .wantsWrite:
            downstreams.watchWrites(entry, true)
            return .wait
        case .failed(let problem):
            counters.add(.handshakesFailed)
            return problem.kind == .clearText
                ? rejectClearText(entry, tls, socket) : close(entry)
        case .done:
            downstreams.watchWrites(entry, false)
            counters.add(.handshakes)
            downstreams[entry].isReadable = true
            return tls.negotiated == .http2 ? .frames : beginRequests(entry)
        }
    }

    /// Tells a browser that used `http://` instead of `https://` so, in clear text.
    private func rejectClearText(
        _ entry: Int, _ tls: TLSStream, _ socket: StreamSocket
    ) -> Outcome {
        downstreams[entry].carrier = .connection(.clear(socket))
        tls.free()
        buffers.connectionGaveHeap(now: downstreams.now)
        downstreams[entry].isSecure = false
        return .reject(HTTPProblem(status: 400, reason: "plain HTTP on a port for HTTPS"))
    }
}
