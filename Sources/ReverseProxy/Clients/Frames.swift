internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// HTTP/2: one connection's frames, and its streams as downstreams that speak HTTP/1.1.
///
/// Routing, queueing, pinning and logging are independent of it (RFC 9113). Belongs to the loop's
/// thread. Extensions: sending, deadlines.
final class Frames {
    /// How many reads one connection has before the others have their turn.
    private static let readsPerTurn = 16

    let downstreams: Downstreams
    let buffers: Buffers
    let agenda: Agenda
    let plan: Plan
    private let drain: DrainState
    private let counters: LoopCounters
    let clientEnds: ClientEnds
    private let dispatcher: Dispatcher

    init(_ owners: Owners, clientEnds: ClientEnds, dispatcher: Dispatcher) {
        downstreams = owners.downstreams
        buffers = owners.buffers
        agenda = owners.agenda
        plan = owners.plan
        drain = owners.drain
        counters = owners.counters
        self.clientEnds = clientEnds
        self.dispatcher = dispatcher
    }

    /// Switches to HTTP/2; the bytes read already are its beginning.
    func begin(_ entry: Int) {
        let multiplexer = Multiplexer(HTTP2Connection(http2Settings, memory: buffers.streamMemory))
        buffers.connectionTookHeap()
        downstreams.multiplexers[entry] = multiplexer
        downstreams[entry].move(to: .multiplexed)
        downstreams.setMultiplexerDeadline(
            entry, multiplexer, after: plan.settings.timeouts.keepalive)
        downstreams.limitFrameHead(entry, multiplexer)
        if !downstreams[entry].input.isEmpty { feed(entry, multiplexer) }
        if drain.isDraining, downstreams.multiplexers[entry] === multiplexer {
            multiplexer.connection.goAway()
        }
        downstreams.noteUnsent(entry)
        if downstreams.isTaken(entry), downstreams.multiplexers[entry] === multiplexer {
            read(entry)
        }
    }

    private var http2Settings: HTTP2Settings {
        var http2 = HTTP2Settings()
        http2.maxHeaderListSize = plan.settings.limits.requestHead
        buffers.narrowWindows(&http2)
        return http2
    }

    /// Reads from an HTTP/2 connection and handles its frames.
    func read(_ entry: Int) {
        guard let multiplexer = downstreams.multiplexers[entry] else { return }
        let serial = downstreams.serial(entry)
        for _ in 0..<Self.readsPerTurn {
            guard downstreams[entry].isReadable, !multiplexer.isClosing else { return }
            buffers.equip(&downstreams[entry].input)
            downstreams[entry].input.rewind()
            switch downstreams.read(entry) {
            case .moved:
                feed(entry, multiplexer)
                guard downstreams.holds(entry, serial: serial) else { return }
            case .wouldBlock:
                buffers.release(&downstreams[entry].input)
                return
            case .end, .failed:
                return clientEnds.close(entry)
            }
        }
        downstreams.postpone(entry)
    }

    private func feed(_ entry: Int, _ multiplexer: Multiplexer) {
        let progress = unsafe multiplexer.connection.receive(
            downstreams[entry].input.bytes, now: downstreams.now)
        buffers.release(&downstreams[entry].input)
        switch progress {
        case .ok: break
        case .closed: multiplexer.isClosing = true
        }
        let serial = downstreams.serial(entry)
        deliverEvents(entry, multiplexer)
        downstreams.noteUnsent(entry)
        if downstreams.holds(entry, serial: serial) {
            downstreams.limitFrameHead(entry, multiplexer)
        }
    }

    /// Delivers events to the streams.
    func deliverEvents(_ entry: Int, _ multiplexer: Multiplexer) {
        while let event = multiplexer.connection.nextEvent() {
            switch event {
            case .opened(let stream):
                openStream(stream, on: entry, multiplexer)
            case .readable(let stream):
                if let child = multiplexer.entries[stream] { streamReadable(child) }
            case .writable(let stream):
                if let child = multiplexer.entries[stream], downstreams[child].wantsWrite {
                    dispatcher.clientWritable(child)
                }
            case .reset(let stream):
                if let child = multiplexer.entries[stream] { clientEnds.abandon(child) }
            }
        }
    }

    private func streamReadable(_ child: Int) {
        let isOfRequests = dispatcher.clientEvent(child, .readable)
        assert(isOfRequests, "streams carry requests, and no connections")
    }

    private func readRequests(_ child: Int) {
        let speaksHTTP2 = dispatcher.readRequests(child)
        assert(!speaksHTTP2, "streams carry no connections")
    }

    private func openStream(_ stream: Int32, on entry: Int, _ multiplexer: Multiplexer) {
        let carrier = Carrier.stream(
            .init(parent: Int32(truncatingIfNeeded: entry), number: stream))
        var child = Downstream(carrier, address: downstreams[entry].address)
        child.peer = downstreams[entry].peer
        child.isTrusted = downstreams[entry].isTrusted
        child.listener = downstreams[entry].listener
        child.isSecure = downstreams[entry].isSecure
        child.move(to: .idle)
        guard let taken = downstreams.enter(stream: child) else {
            // It was not processed: the client may retry (RFC 9113 section 8.7).
            multiplexer.connection.refuse(stream)
            multiplexer.connection.forget(stream)
            return
        }
        // From here on the streams have their own deadlines; this one is for a connection without
        // any.
        if multiplexer.entries.isEmpty {
            downstreams.setMultiplexerDeadline(
                entry, multiplexer, after: plan.settings.timeouts.bodyIdle)
        }
        multiplexer.entries[stream] = taken
        counters.add(.streams)
        downstreams.setDeadline(taken, after: plan.settings.timeouts.header)
        readRequests(taken)
    }

    /// Lets open streams finish, and accepts no more.
    func finish(_ entry: Int) {
        guard let multiplexer = downstreams.multiplexers[entry] else { return }
        multiplexer.connection.goAway()
        if multiplexer.entries.isEmpty { downstreams.setIdleDeadline(entry, multiplexer) }
        downstreams.noteUnsent(entry)
    }
}
