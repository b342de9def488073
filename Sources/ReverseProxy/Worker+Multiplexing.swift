internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// HTTP/2: one connection's frames, and its streams as downstreams that speak HTTP/1.1.
///
/// What routes, queues, pins and logs knows nothing of it (RFC 9113).
extension Worker {
    /// Whether a rejected head is the preface of HTTP/2, on a connection that may begin with it.
    func isPreface(_ place: Int) -> Bool {
        guard downstreams[place].isFresh, !downstreams[place].carrier.isStream,
            plan.listener(downstreams[place].listener)?.http2 == true
        else { return false }
        let readable = unsafe downstreams[place].input.readable
        return unsafe HTTP2Connection.beginsWithPreface(readable.span)
    }

    /// Speaks HTTP/2 from here on; what was read already is its beginning.
    func beginMultiplexing(_ place: Int) {
        let multiplexer = Multiplexer(HTTP2Connection(http2Settings, memory: buffers.streamMemory))
        buffers.connectionTookHeap()
        downstreams.multiplexers[place] = multiplexer
        downstreams[place].move(to: .multiplexed)
        downstreams.setMultiplexerDeadline(place, multiplexer, after: settings.timeouts.keepalive)
        downstreams.limitFrameHead(place, multiplexer)
        if !downstreams[place].input.isEmpty { feed(place, multiplexer) }
        if drain.isDraining, downstreams.multiplexers[place] === multiplexer {
            multiplexer.connection.goAway()
        }
        downstreams.noteUnsent(place)
        if downstreams.isTaken(place), downstreams.multiplexers[place] === multiplexer {
            readFrames(place)
        }
    }

    private var http2Settings: HTTP2Settings {
        var http2 = HTTP2Settings()
        http2.maxHeaderListSize = settings.limits.requestHead
        buffers.narrowWindows(&http2)
        return http2
    }

    /// Reads what has come on a connection of HTTP/2, and does what its frames ask for.
    func readFrames(_ place: Int) {
        guard let multiplexer = downstreams.multiplexers[place] else { return }
        let serial = downstreams.serial(place)
        for _ in 0..<Self.readsPerTurn {
            guard downstreams[place].isReadable, !multiplexer.isClosing else { return }
            buffers.equip(&downstreams[place].input)
            downstreams[place].input.rewind()
            switch downstreams.read(place) {
            case .moved:
                feed(place, multiplexer)
                guard downstreams.holds(place, serial: serial) else { return }
            case .wouldBlock:
                buffers.release(&downstreams[place].input)
                return
            case .end, .failed:
                return closeDownstream(place)
            }
        }
        postpone(client: place)
    }

    private func feed(_ place: Int, _ multiplexer: Multiplexer) {
        let readable = unsafe downstreams[place].input.readable
        let progress = unsafe multiplexer.connection.receive(readable.span, now: now)
        buffers.release(&downstreams[place].input)
        switch progress {
        case .ok: break
        case .closed: multiplexer.isClosing = true
        }
        let serial = downstreams.serial(place)
        deliverEvents(place, multiplexer)
        downstreams.noteUnsent(place)
        if downstreams.holds(place, serial: serial) {
            downstreams.limitFrameHead(place, multiplexer)
        }
    }

    /// Tells the streams what has happened to them.
    func deliverEvents(_ place: Int, _ multiplexer: Multiplexer) {
        while let event = multiplexer.connection.nextEvent() {
            switch event {
            case .opened(let stream):
                openStream(stream, on: place, multiplexer)
            case .readable(let stream):
                if let child = multiplexer.places[stream] { downstreamEvent(child, .readable) }
            case .writable(let stream):
                if let child = multiplexer.places[stream], downstreams[child].wantsWrite {
                    resumeWriting(child)
                }
            case .reset(let stream):
                if let child = multiplexer.places[stream] { abandonDownstream(child) }
            }
        }
    }

    private func openStream(_ stream: Int32, on place: Int, _ multiplexer: Multiplexer) {
        let carrier = Carrier.stream(
            .init(parent: Int32(truncatingIfNeeded: place), number: stream))
        var child = Downstream(carrier, address: downstreams[place].address)
        child.peer = downstreams[place].peer
        child.isTrusted = downstreams[place].isTrusted
        child.listener = downstreams[place].listener
        child.isSecure = downstreams[place].isSecure
        child.move(to: .idle)
        guard let taken = downstreams.enter(stream: child) else {
            // Nothing was done for it: the client may ask again (RFC 9113 section 8.7).
            multiplexer.connection.refuse(stream)
            multiplexer.connection.forget(stream)
            return
        }
        // The streams' deadlines count from here on; this one is for those that nobody watches.
        if multiplexer.places.isEmpty {
            downstreams.setMultiplexerDeadline(
                place, multiplexer, after: settings.timeouts.bodyIdle)
        }
        multiplexer.places[stream] = taken
        counters.add(.streams)
        downstreams.setDeadline(taken, after: settings.timeouts.header)
        readRequests(taken)
    }

    /// Lets the streams under way end, and takes no more.
    func finishMultiplexing(_ place: Int) {
        guard let multiplexer = downstreams.multiplexers[place] else { return }
        multiplexer.connection.goAway()
        if multiplexer.places.isEmpty { downstreams.setIdleDeadline(place, multiplexer) }
        downstreams.noteUnsent(place)
    }

    /// The connection ends: its streams have no client any more.
    func closeMultiplexer(_ place: Int) {
        guard let multiplexer = downstreams.multiplexers.removeValue(forKey: place) else { return }
        buffers.connectionGaveHeap(now: now)
        abandonStreams(Array(multiplexer.places.values))
    }

    /// The streams have no client any more.
    ///
    /// One may end by the end of another, which it waited for.
    func abandonStreams(_ children: [Int]) {
        for child in children where downstreams.isTaken(child) { abandonDownstream(child) }
    }
}
