internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// WebSockets and other upgrades: after a 101 bytes pass both ways until both sides have ended.
///
/// Each way moves whole blocks, without a copy, and only when the one before has gone out: whoever
/// reads slowly holds back whoever writes. An idle tunnel holds no block.
extension Worker {
    /// Turns an exchange whose process has answered 101 into a tunnel.
    ///
    /// The parsed head is in the process's input and takes up what was offered; false: the exchange has ended over it.
    func beginTunnel(_ exchange: Int, _ upstream: Int) -> Bool {
        let downstream = Int(exchanges[exchange].downstream)
        exchanges[exchange].firstByteAt = now
        exchanges[exchange].status = exchanges.heads.response.status
        exchanges.followPinDirective(exchange)
        guard exchanges[exchange].machine.maySwitch,
            exchanges.renderResponse(exchange, upstream, downstream, .none)
        else {
            refuseResponse(exchange)
            return false
        }
        upstreams[upstream].input.consume(exchanges.heads.response.headLength)
        upstreams[upstream].headScan = 0
        exchanges.keepHeadForLog(exchange)
        exchanges[exchange].machine.switched(now: now)
        downstreams[downstream].keepAlive = false
        downstreams[downstream].timesWrites = false
        downstreams.clearDeadline(downstream)
        exchanges.setUpstreamDeadline(upstream, after: exchanges.timeouts(exchange).tunnel)
        if let grant = exchanges[exchange].machine.grant {
            exchanges[exchange].machine.tunnel.holdsSlot = groups[Int(exchanges[exchange].group)]
                .beginTunnel(grant, now: instant)
        }
        // As a request it is done; the line in the log is written when it has ended.
        exchanges.countRequest(exchange)
        counters.add(.tunnels)
        counters.add(.tunnelsOpened)
        return true
    }

    /// Moves what both sides have for each other, and ends the tunnel when both have ended.
    func pumpTunnel(_ exchange: Int) {
        let place = Int(exchanges[exchange].downstream)
        var passage = passToProcess(exchange)
        if passage == .open { passage = passToClient(exchange) }
        switch passage {
        case .open:
            guard exchanges[exchange].machine.tunnel.isOver else { return }
            endTunnel(exchange, .served)
            closeDownstream(place)
        case .clientGone:
            endTunnel(exchange, .abandoned)
            closeDownstream(place)
        case .processGone:
            // Broken off in the middle: the client must not take that for an end.
            endTunnel(exchange, .failed)
            abortDownstream(place)
        }
    }

    private enum Passage {
        case open, clientGone, processGone
    }

    private enum Reading {
        case moved, nothing, broken
    }

    /// Nothing has passed for too long, or nothing since the process had ended.
    func tunnelTimedOut(_ exchange: Int) {
        let place = Int(exchanges[exchange].downstream)
        endTunnel(exchange, .served)
        closeDownstream(place)
    }

    private func endTunnel(_ exchange: Int, _ outcome: ExchangeOutcome) {
        endUpstream(exchange, outcome)
        dropExchange(exchange)
    }

    private func passToProcess(_ exchange: Int) -> Passage {
        let upstream = exchanges.upstream(of: exchange)
        let downstream = Int(exchanges[exchange].downstream)
        for _ in 0..<Self.readsPerTurn {
            switch upstreams.send(upstream) {
            case .done: buffers.release(&upstreams[upstream].output)
            case .blocked: return .open
            case .broken: return .processGone
            }
            if downstreams[downstream].input.isEmpty {
                switch receiveFromClient(exchange, downstream) {
                case .moved: break
                case .nothing:
                    tellProcess(exchange, upstream)
                    return .open
                case .broken: return .clientGone
                }
            }
            notePassing(exchange, toProcess: true)
            swap(&upstreams[upstream].output, &downstreams[downstream].input)
        }
        postpone(client: downstream)
        return .open
    }

    /// Reads into an empty block, which is given back when nothing came.
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

    /// Passes on that the client has finished sending; once.
    private func tellProcess(_ exchange: Int, _ upstream: Int) {
        guard exchanges[exchange].machine.tunnel.endsToProcess() else { return }
        upstreams.shutdownWrite(upstream)
    }

    private func passToClient(_ exchange: Int) -> Passage {
        let upstream = exchanges.upstream(of: exchange)
        let downstream = Int(exchanges[exchange].downstream)
        for _ in 0..<Self.readsPerTurn {
            switch downstreams.flush(downstream) {
            case .done: break
            case .blocked:
                holdSparingly(downstream, upstream: upstream)
                return .open
            case .broken: return .clientGone
            }
            if exchanges[exchange].machine.tunnel.sendsClose(now: now) {
                sendClose(to: downstream)
                continue
            }
            if upstreams[upstream].input.isEmpty {
                switch receiveFromProcess(exchange, upstream) {
                case .moved: break
                case .nothing:
                    tellClient(exchange, downstream)
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
        postpone(process: upstream)
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

    /// Passes on that the process has finished sending; once.
    ///
    /// What a client may still say to it is soon said: a silent client does not keep the tunnel.
    private func tellClient(_ exchange: Int, _ downstream: Int) {
        guard exchanges[exchange].machine.tunnel.endsToClient() else { return }
        downstreams.shutdownWrite(downstream)
        setTunnelDeadline(exchange, after: exchanges.timeouts(exchange).idle)
    }

    /// For the next byte; once the program ends, for the end of the tunnel.
    func setTunnelDeadline(_ exchange: Int, after span: Interval) {
        let deadline = exchanges[exchange].machine.tunnel.deadline(after: span, now: now)
        let left = Interval(nanoseconds: deadline &- now)
        exchanges.setUpstreamDeadline(exchanges.upstream(of: exchange), after: left)
    }

    /// Counts a block that is about to pass, and lets it renew deadline and lease.
    private func notePassing(_ exchange: Int, toProcess: Bool) {
        let upstream = exchanges.upstream(of: exchange)
        let isEnding = exchanges[exchange].machine.tunnel.toClient == .told
        setTunnelDeadline(
            exchange,
            after: isEnding
                ? exchanges.timeouts(exchange).idle : exchanges.timeouts(exchange).tunnel)
        let renewsLease: Bool
        if toProcess {
            let bytes = unsafe downstreams[Int(exchanges[exchange].downstream)].input.readable
            exchanges[exchange].requestBodyBytes &+= UInt64(bytes.count)
            renewsLease = unsafe exchanges[exchange].machine.tunnel.passes(
                toProcess: bytes.span, now: now)
        } else {
            let bytes = unsafe upstreams[upstream].input.readable
            exchanges[exchange].bytesToClient &+= UInt64(bytes.count)
            renewsLease = unsafe exchanges[exchange].machine.tunnel.passes(
                toClient: bytes.span, now: now)
        }
        if renewsLease, let grant = exchanges[exchange].machine.grant {
            groups[Int(exchanges[exchange].group)].tunnelTraffic(grant, now: instant)
        }
    }
}
