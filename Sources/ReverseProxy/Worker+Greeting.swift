internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// What comes before a connection's first request: the PROXY header, TLS, the choice of a version.
extension Worker {
    /// How many steps of handshakes one turn takes before the others' events are looked at.
    ///
    /// A step of a server with an RSA key costs about a millisecond.
    private static let handshakesPerTurn = 2

    /// Begins with a connection that was just accepted.
    func greet(_ place: Int) {
        guard let listener = plan.listener(downstreams[place].listener) else {
            return closeDownstream(place)
        }
        if listener.proxyProtocol {
            downstreams.setDeadline(place, after: settings.timeouts.header)
            readGreeting(place)
        } else {
            secure(place)
        }
    }

    /// Reads the PROXY header, and no byte more: what follows may be TLS.
    func readGreeting(_ place: Int) {
        buffers.equip(&downstreams[place].input)
        downstreams[place].input.rewind()
        let socket = downstreams[place].carrier.transport.socket
        switch socket.peek(into: &downstreams[place].input) {
        case .moved: break
        case .wouldBlock:
            buffers.release(&downstreams[place].input)
            return
        case .end, .failed: return closeDownstream(place)
        }
        let readable = unsafe downstreams[place].input.readable
        let parsed = unsafe ProxyHeader.parse(readable.span)
        buffers.release(&downstreams[place].input)
        switch parsed {
        case .incomplete:
            // The end of it raises an edge; one that has come meanwhile has raised it already.
            if downstreams[place].peerClosed { closeDownstream(place) }
        case .invalid:
            counters.add(.greetingsRefused)
            closeDownstream(place)
        case .local(let length):
            socket.discard(length)
            secure(place)
        case .parsed(let header):
            socket.discard(header.length)
            // Whether TLS ended at the sender counts like TLS here: it is asked for as a whole.
            downstreams[place].isSecure = header.isSecure
            downstreams[place].address = header.source.address
            secure(place)
        }
    }

    /// Begins TLS where the listener has it; else the first request may come.
    private func secure(_ place: Int) {
        guard let listener = plan.listener(downstreams[place].listener) else {
            return closeDownstream(place)
        }
        introduce(place, listener)
        guard let context = listener.tls else { return beginRequests(place) }
        let socket = downstreams[place].carrier.transport.socket
        guard let tls = TLSStream(accepting: context, descriptor: socket.descriptor) else {
            return closeDownstream(place)
        }
        buffers.connectionTookHeap()
        downstreams[place].carrier = .connection(.secure(tls, socket))
        downstreams[place].move(to: .handshaking)
        downstreams.setDeadline(place, after: settings.timeouts.header)
        wantHandshake(place)
    }

    /// Notes what follows from the client's address and the listener.
    func introduce(_ place: Int, _ listener: ListenerSettings) {
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
    func beginRequests(_ place: Int) {
        downstreams[place].move(to: .idle)
        downstreams.setDeadline(
            place, after: drain.isDraining ? Self.lastRequest : settings.timeouts.keepalive)
        readRequests(place)
    }

    func wantHandshake(_ place: Int) {
        agenda.continueHandshake(downstreams.token(place))
    }

    /// Takes some handshakes a step further; the others wait for the next turn.
    func continueHandshakes() {
        for token in agenda.takeHandshakes(atMost: Self.handshakesPerTurn)
        where downstreams.holds(token.place, serial: token.serial)
            && downstreams[token.place].phase == .handshaking
        {
            continueHandshake(token.place)
        }
    }

    private func continueHandshake(_ place: Int) {
        guard case .connection(.secure(let tls, let socket)) = downstreams[place].carrier else {
            preconditionFailure("only a connection with TLS is in its handshake")
        }
        switch tls.handshake() {
        case .wantsRead:
            downstreams.watchWrites(place, false)
        case .wantsWrite:
            downstreams.watchWrites(place, true)
        case .failed(let problem):
            counters.add(.handshakesFailed)
            if problem.kind == .clearText {
                answerClearText(place, tls, socket)
            } else {
                closeDownstream(place)
            }
        case .done:
            downstreams.watchWrites(place, false)
            counters.add(.handshakes)
            downstreams[place].isReadable = true
            if tls.negotiated == .http2 {
                beginMultiplexing(place)
            } else {
                beginRequests(place)
            }
        }
    }

    /// A browser that was given `http://` for `https://` is told so, in what it speaks.
    private func answerClearText(_ place: Int, _ tls: TLSStream, _ socket: StreamSocket) {
        downstreams[place].carrier = .connection(.clear(socket))
        tls.free()
        buffers.connectionGaveHeap(now: now)
        downstreams[place].isSecure = false
        rejectHead(place, HTTPProblem(status: 400, reason: "plain HTTP on a port for HTTPS"))
    }
}
