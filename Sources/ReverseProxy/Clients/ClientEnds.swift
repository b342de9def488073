internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// The end of an exchange towards its client: remaining output, the log, and the connection.
///
/// Belongs to the loop's thread. After a call the exchange may have ended, and its connection too.
final class ClientEnds {
    /// How long input is discarded after the last response, in total: long enough for a client in
    /// the middle of an upload to read the response and see why it ends.
    private static let lingering = Interval.seconds(5)
    /// How many blocks are discarded before the others have their turn.
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

    /// The complete response is in the client's output; the exchange completes when it is sent.
    func finishAnswer(_ exchange: Int) {
        let entry = Int(exchanges[exchange].downstream)
        switch downstreams.flush(entry) {
        case .done: complete(exchange)
        case .blocked: downstreams.holdSparingly(entry)
        case .broken: abandon(entry)
        }
    }

    /// The complete response was sent: the next request of the connection may come.
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
        if !downstreams[entry].keepAlive || downstreams[entry].peerClosed && hasNoRequest(entry) {
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

    /// Whether the client, which has finished sending, has no pipelined request.
    private func hasNoRequest(_ entry: Int) -> Bool {
        downstreams[entry].input.isEmpty && !downstreams[entry].isReadable
    }

    /// The process closed in the middle of its response: the client must see an error, not a clean
    /// end.
    ///
    /// - Parameter isLate: the process timed out but may still be working.
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

    /// Ends a tunnel and its client's connection.
    ///
    /// - Parameter abortively: it broke, and the client must not mistake that for a regular end.
    func endTunnel(_ exchange: Int, _ outcome: ExchangeOutcome, abortively: Bool = false) {
        let entry = Int(exchanges[exchange].downstream)
        processEnds.end(exchange, outcome)
        drop(exchange)
        end(entry, abortively: abortively)
    }

    /// Writes the log and detaches the exchange from its connection.
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

    /// The client has gone, or is given up: releases what is held for it.
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

    /// Closes a connection after its last response, without a RST that would destroy the response
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

    /// Discards what a client sends after its last response.
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
        // The client keeps sending although it was asked to stop; others have their turn first.
        downstreams.postpone(entry)
    }

    /// Closes a connection or a stream without an exchange.
    func close(_ entry: Int) { end(entry, abortively: false) }

    /// Closes with RST: the client must not take a body without a length for complete.
    private func abort(_ entry: Int) { end(entry, abortively: true) }

    private func end(_ entry: Int, abortively: Bool) {
        if downstreams[entry].phase == .multiplexed { closeMultiplexer(entry) }
        kept.closeOwn(of: entry)
        downstreams.close(entry, abortively: abortively)
    }

    /// The connection closes, so its streams lose their client.
    private func closeMultiplexer(_ entry: Int) {
        guard let multiplexer = downstreams.multiplexers.removeValue(forKey: entry) else { return }
        buffers.connectionGaveHeap(now: downstreams.now)
        abandonStreams(Array(multiplexer.entries.values))
    }

    /// The streams have lost their client.
    func abandonStreams(_ children: [Int]) {
        for child in children where downstreams.isTaken(child) { abandon(child) }
    }
}
