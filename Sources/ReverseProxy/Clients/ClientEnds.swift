internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// The end of an exchange towards its client: what is still to be sent, the log, and what becomes of the
/// connection.
///
/// Belongs to the loop's thread. After a call the exchange may have ended, and its connection too.
final class ClientEnds {
    /// How long what a client still sends is thrown away after the last answer, in all: long enough
    /// for a client in the middle of an upload to look up and read why it ends.
    private static let lingering = Interval.seconds(5)
    /// How many blocks are thrown away before the others have their turn.
    private static let readsPerTurn = 16

    private let exchanges: ExchangeTable
    private let downstreams: Downstreams
    private let kept: KeptConnections
    private let buffers: Buffers
    private let agenda: Agenda
    private let counters: LoopCounters
    private let plan: Plan
    private let drain: DrainState
    private let slots: Slots
    private let processEnds: ProcessEnds
    private let handover: Handover

    init(
        _ owners: Owners, kept: KeptConnections, slots: Slots, processEnds: ProcessEnds,
        handover: Handover
    ) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        buffers = owners.buffers
        agenda = owners.agenda
        counters = owners.counters
        plan = owners.plan
        drain = owners.drain
        self.kept = kept
        self.slots = slots
        self.processEnds = processEnds
        self.handover = handover
    }

    // MARK: Exchanges

    /// All of the response is in the client's output; completes once it is sent.
    func finishAnswer(_ exchange: Int) {
        let entry = Int(exchanges[exchange].downstream)
        switch downstreams.flush(entry) {
        case .done: complete(exchange)
        case .blocked: downstreams.holdSparingly(entry)
        case .broken: abandon(entry)
        }
    }

    /// All of the response has been sent: the next request of the connection may come.
    func complete(_ exchange: Int) {
        let entry = Int(exchanges[exchange].downstream)
        let bodyIsOpen =
            !exchanges[exchange].requestBody.isEnded || exchanges[exchange].isRejected
        drop(exchange)
        if downstreams[entry].carrier.isStream {
            // A stream carries one exchange.
            close(entry)
            return
        }
        if !downstreams[entry].keepAlive || downstreams[entry].peerClosed && noneWaits(entry) {
            endConnection(entry, linger: bodyIsOpen || !downstreams[entry].input.isEmpty)
            return
        }
        downstreams[entry].input.compact()
        downstreams[entry].move(to: .idle)
        if drain.isDraining, handover.moveOn(entry) { return }
        if downstreams[entry].input.isEmpty {
            buffers.release(&downstreams[entry].input)
            downstreams.setDeadline(
                entry,
                after: drain.isDraining
                    ? Handover.lastRequest : plan.settings.timeouts.keepalive)
            if downstreams[entry].isReadable { agenda.readAgain(entry) }
        } else {
            downstreams[entry].move(to: .receivingHead)
            downstreams.beginHead(entry)
            agenda.readAgain(entry)
        }
    }

    /// Whether the client, which has finished sending, has left no request behind.
    private func noneWaits(_ entry: Int) -> Bool {
        downstreams[entry].input.isEmpty && !downstreams[entry].isReadable
    }

    /// The process broke off in the middle: the client must see that, and never a clean end.
    ///
    /// - Parameter isLate: It is silent, but may well be at work.
    func cutShort(_ exchange: Int, isLate: Bool = false) {
        let downstream = Int(exchanges[exchange].downstream)
        processEnds.end(exchange, .failed, isLate: isLate)
        _ = downstreams.flush(downstream)
        let looksWhole = exchanges[exchange].machine.framing.endsWithConnection
        drop(exchange)
        if looksWhole {
            abort(downstream)
        } else {
            close(downstream)
        }
    }

    /// Ends a tunnel, and its client's connection with it.
    ///
    /// - Parameter abortively: It broke off in the middle: the client must not take that for an end.
    func endTunnel(_ exchange: Int, _ outcome: ExchangeOutcome, abortively: Bool = false) {
        let entry = Int(exchanges[exchange].downstream)
        processEnds.end(exchange, outcome)
        drop(exchange)
        end(entry, abortively: abortively)
    }

    /// Writes the log and takes the exchange off its connection.
    private func drop(_ exchange: Int) {
        let entry = Int(exchanges[exchange].downstream)
        exchanges.logExchange(exchange)
        if exchanges[exchange].responsePhase == .tunnel {
            counters.subtract(.tunnels)
        } else {
            exchanges.countRequest(exchange)
        }
        exchanges.remove(exchange)
        downstreams[entry].exchange = -1
    }

    // MARK: Connections

    /// The client has gone, or is given up: what is held for it is given back.
    func abandon(_ entry: Int) {
        if downstreams[entry].phase == .exchange {
            let exchange = Int(downstreams[entry].exchange)
            slots.leaveQueue(exchange)
            processEnds.end(exchange, .abandoned)
            if exchanges[exchange].status == 0 { exchanges[exchange].status = 499 }
            drop(exchange)
        }
        close(entry)
    }

    /// Ends a connection after its last answer, without a RST that would destroy it
    /// (RFC 9112 section 9.6).
    func endConnection(_ entry: Int, linger: Bool) {
        guard linger, !downstreams[entry].peerClosed else {
            close(entry)
            return
        }
        if downstreams[entry].phase == .multiplexed { closeMultiplexer(entry) }
        downstreams[entry].move(to: .lingering)
        downstreams.shutdownWrite(entry)
        downstreams.setDeadline(entry, after: Self.lingering)
        discard(entry)
    }

    /// Throws away what a client sends after its last answer.
    func discard(_ entry: Int) {
        buffers.equip(&downstreams[entry].input)
        for _ in 0..<Self.readsPerTurn {
            downstreams[entry].input.rewind()
            switch downstreams.read(entry) {
            case .moved: continue
            case .wouldBlock:
                buffers.release(&downstreams[entry].input)
                return
            case .end, .failed:
                close(entry)
                return
            }
        }
        buffers.release(&downstreams[entry].input)
        // It pours on although it was told to stop; others have their turn first.
        downstreams.postpone(entry)
    }

    /// Ends a connection or a stream that has no exchange.
    func close(_ entry: Int) { end(entry, abortively: false) }

    /// Closes with RST: the client must not take a body without a length for whole.
    private func abort(_ entry: Int) { end(entry, abortively: true) }

    private func end(_ entry: Int, abortively: Bool) {
        if downstreams[entry].phase == .multiplexed { closeMultiplexer(entry) }
        kept.closeOwn(of: entry)
        downstreams.close(entry, abortively: abortively)
    }

    /// The connection ends: its streams have no client any more.
    private func closeMultiplexer(_ entry: Int) {
        guard let multiplexer = downstreams.multiplexers.removeValue(forKey: entry) else { return }
        buffers.connectionGaveHeap(now: downstreams.now)
        abandonStreams(Array(multiplexer.entries.values))
    }

    /// The streams have no client any more.
    func abandonStreams(_ children: [Int]) {
        for child in children where downstreams.isTaken(child) { abandon(child) }
    }
}
