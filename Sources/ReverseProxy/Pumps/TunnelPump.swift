internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// WebSockets and other upgrades: after a 101, bytes pass both ways until both sides have closed.
///
/// Each direction moves whole blocks, without a copy, and reads the next only when the last was
/// sent: a slow reader slows its sender down. An idle tunnel holds no block.
///
/// Belongs to the loop's thread.
final class TunnelPump {
    /// How many blocks one direction may move before the others have their turn.
    private static let blocksPerTurn = 16

    private let exchanges: ExchangeTable
    private let upstreams: Upstreams
    private let downstreams: Downstreams
    private let buffers: Buffers
    private let agenda: Agenda
    private let counters: LoopCounters
    private let plan: Plan
    private let clientEnds: ClientEnds
    private let heads: Heads
    private let carriers: SessionCarriers

    init(_ owners: Owners, clientEnds: ClientEnds, heads: Heads, carriers: SessionCarriers) {
        exchanges = owners.exchanges
        upstreams = owners.upstreams
        downstreams = owners.downstreams
        buffers = owners.buffers
        agenda = owners.agenda
        counters = owners.counters
        plan = owners.plan
        self.clientEnds = clientEnds
        self.heads = heads
        self.carriers = carriers
    }

    /// Turns an exchange whose process has answered 101 into a tunnel.
    ///
    /// The parsed head is in the process's input and accepts an offered protocol; false: it cannot
    /// be forwarded.
    func beginTunnel(_ exchange: Int, _ upstream: Int) -> Bool {
        let downstream = Int(exchanges[exchange].downstream)
        exchanges[exchange].firstByteAt = exchanges.now
        exchanges[exchange].status = exchanges.heads.response.status
        carriers.followHead(exchange)
        guard exchanges[exchange].machine.maySwitch,
            heads.renderResponse(exchange, upstream, downstream, .none)
        else { return false }
        upstreams[upstream].input.consume(exchanges.heads.response.headLength)
        upstreams[upstream].headScan = 0
        exchanges.keepHeadForLog(exchange)
        exchanges[exchange].machine.switched(now: exchanges.now)
        downstreams[downstream].keepAlive = false
        downstreams[downstream].timesWrites = false
        downstreams.clearDeadline(downstream)
        exchanges.setUpstreamDeadline(upstream, after: exchanges.timeouts(exchange).tunnel)
        if let grant = exchanges[exchange].machine.grant {
            let group = plan.groups[Int(exchanges[exchange].group)]
            exchanges[exchange].machine.tunnel.holdsSlot = group.beginTunnel(
                grant, now: exchanges.instant)
        }
        // The request counts as completed; its log line is written when the tunnel has ended.
        exchanges.countRequest(exchange)
        counters.add(.tunnels)
        counters.add(.tunnelsOpened)
        return true
    }

    /// Moves available bytes both ways, and ends the tunnel when both sides have closed.
    func pumpTunnel(_ exchange: Int) -> Step {
        var passage = passToProcess(exchange)
        if passage == .open { passage = passToClient(exchange) }
        switch passage {
        case .open:
            guard exchanges[exchange].machine.tunnel.isOver else { return .wait }
            clientEnds.endTunnel(exchange, .served)
        case .clientGone:
            clientEnds.endTunnel(exchange, .abandoned)
        case .processGone:
            // The connection broke: the client must not mistake that for a regular end.
            clientEnds.endTunnel(exchange, .failed, abortively: true)
        }
        return .over
    }

    private enum Passage {
        case open, clientGone, processGone
    }

    private enum Reading {
        case moved, nothing, broken
    }

    private func passToProcess(_ exchange: Int) -> Passage {
        let upstream = exchanges.upstream(of: exchange)
        let downstream = Int(exchanges[exchange].downstream)
        for _ in 0..<Self.blocksPerTurn {
            switch upstreams.send(upstream) {
            case .done: buffers.release(&upstreams[upstream].output)
            case .blocked: return .open
            case .broken: return .processGone
            }
            if downstreams[downstream].input.isEmpty {
                switch receiveFromClient(exchange, downstream) {
                case .moved: break
                case .nothing:
                    closeTowardsProcess(exchange, upstream)
                    return .open
                case .broken: return .clientGone
                }
            }
            notePassing(exchange, toProcess: true)
            swap(&upstreams[upstream].output, &downstreams[downstream].input)
        }
        downstreams.postpone(downstream)
        return .open
    }

    /// Reads into an empty block, which is released if nothing arrived.
    private func receiveFromClient(_ exchange: Int, _ downstream: Int) -> Reading {
        if downstreams[downstream].isReadable, exchanges[exchange].machine.tunnel.toProcess == .open
        {
            buffers.release(&downstreams[downstream].input)
            buffers.equip(&downstreams[downstream].input)
            switch downstreams.read(downstream) {
            case .moved: return .moved
            case .wouldBlock: break
            case .end: exchanges[exchange].machine.tunnel.clientEnded()
            case .failed: return .broken
            }
        }
        buffers.release(&downstreams[downstream].input)
        return .nothing
    }

    /// Closes towards the process, since the client has finished sending; once.
    private func closeTowardsProcess(_ exchange: Int, _ upstream: Int) {
        guard exchanges[exchange].machine.tunnel.endsToProcess() else { return }
        upstreams.shutdownWrite(upstream)
    }

    private func passToClient(_ exchange: Int) -> Passage {
        let upstream = exchanges.upstream(of: exchange)
        let downstream = Int(exchanges[exchange].downstream)
        for _ in 0..<Self.blocksPerTurn {
            switch downstreams.flush(downstream) {
            case .done: break
            case .blocked:
                downstreams.holdSparingly(downstream)
                buffers.holdSparingly(&upstreams[upstream].input)
                return .open
            case .broken: return .clientGone
            }
            if exchanges[exchange].machine.tunnel.sendsClose(now: exchanges.now) {
                sendClose(to: downstream)
                continue
            }
            if upstreams[upstream].input.isEmpty {
                switch receiveFromProcess(exchange, upstream) {
                case .moved: break
                case .nothing:
                    closeTowardsClient(exchange, downstream)
                    return .open
                case .broken: return .processGone
                }
            }
            if exchanges[exchange].machine.tunnel.dropsToClient {
                buffers.release(&upstreams[upstream].input)
                continue
            }
            notePassing(exchange, toProcess: false)
            swap(&downstreams[downstream].output, &upstreams[upstream].input)
        }
        agenda.postpone(upstreams.token(upstream))
        return .open
    }

    private func receiveFromProcess(_ exchange: Int, _ upstream: Int) -> Reading {
        if upstreams[upstream].isReadable, exchanges[exchange].machine.tunnel.toClient == .open {
            buffers.release(&upstreams[upstream].input)
            buffers.equip(&upstreams[upstream].input)
            switch upstreams.read(upstream) {
            case .moved: return .moved
            case .wouldBlock: break
            case .end: exchanges[exchange].machine.tunnel.processEnded()
            case .failed: return .broken
            }
        }
        buffers.release(&upstreams[upstream].input)
        return .nothing
    }

    /// Closes towards the client, since the process has finished sending; once.
    ///
    /// A client may still send for a short time: a silent client does not keep the tunnel open.
    private func closeTowardsClient(_ exchange: Int, _ downstream: Int) {
        guard exchanges[exchange].machine.tunnel.endsToClient() else { return }
        downstreams.shutdownWrite(downstream)
        setTunnelDeadline(exchange, after: exchanges.timeouts(exchange).idle)
    }

    /// For the next byte; once the program stops, for the end of the tunnel.
    private func setTunnelDeadline(_ exchange: Int, after span: Interval) {
        let deadline = exchanges[exchange].machine.tunnel.deadline(after: span, now: exchanges.now)
        let left = Interval(nanoseconds: deadline &- exchanges.now)
        exchanges.setUpstreamDeadline(exchanges.upstream(of: exchange), after: left)
    }

    /// Counts a block that is about to pass, which may renew deadline and lease.
    private func notePassing(_ exchange: Int, toProcess: Bool) {
        let upstream = exchanges.upstream(of: exchange)
        let isEnding = exchanges[exchange].machine.tunnel.toClient == .closed
        setTunnelDeadline(
            exchange,
            after: isEnding
                ? exchanges.timeouts(exchange).idle : exchanges.timeouts(exchange).tunnel)
        let renewsLease: Bool
        if toProcess {
            let bytes = unsafe downstreams[Int(exchanges[exchange].downstream)].input.bytes
            exchanges[exchange].requestBodyBytes &+= UInt64(bytes.count)
            renewsLease = exchanges[exchange].machine.tunnel.passes(
                toProcess: bytes, now: exchanges.now)
        } else {
            let bytes = unsafe upstreams[upstream].input.bytes
            exchanges[exchange].bytesToClient &+= UInt64(bytes.count)
            renewsLease = exchanges[exchange].machine.tunnel.passes(
                toClient: bytes, now: exchanges.now)
        }
        if renewsLease, let grant = exchanges[exchange].machine.grant {
            plan.groups[Int(exchanges[exchange].group)].tunnelTraffic(grant, now: exchanges.instant)
        }
    }

    // MARK: The end of the program

    /// Starts to close a WebSocket, and gives its client time to answer.
    func endEndless(_ exchange: Int) -> Step {
        setTunnelDeadline(exchange, after: Tunnel.closingHandshake)
        return pumpTunnel(exchange)
    }

    /// Writes a close frame into the output, which is empty.
    private func sendClose(to downstream: Int) {
        buffers.equip(&downstreams[downstream].output)
        let frame = WebSocketFrames.goingAway
        _ = downstreams[downstream].output.append(frame.span)
    }

    /// At the last moment: sends a WebSocket's client a close frame, if the socket accepts it now.
    func sendFinalClose(_ exchange: Int) {
        let entry = Int(exchanges[exchange].downstream)
        guard exchanges[exchange].responsePhase == .tunnel, downstreams[entry].output.isEmpty,
            exchanges[exchange].machine.tunnel.sendsClose(now: exchanges.now, isLast: true)
        else { return }
        sendClose(to: entry)
        _ = downstreams.flush(entry)
    }
}
