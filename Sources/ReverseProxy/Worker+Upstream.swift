internal import Backends
internal import Exchanges
internal import Glibc
internal import Reactor

/// Connections to processes: taken from the pool or made, given back, broken.
extension Worker {
    /// Finds a connection to the process that the exchange has a slot on, and sends the request.
    func openUpstream(_ exchange: Int, fresh: Bool) {
        guard let grant = exchanges[exchange].machine.grant else {
            preconditionFailure("an exchange without a slot has no process to connect to")
        }
        let group = Int(exchanges[exchange].group)
        guard know(grant.process, group: group) else {
            // It went away between the grant and now.
            connectFailed(exchange, .refused)
            return
        }
        if !fresh, let place = kept(grant.process, group: group, for: exchange) {
            upstreams[place].move(to: .busy)
            upstreams[place].exchange = Int32(truncatingIfNeeded: exchange)
            upstreams[place].sentAny = false
            upstreams[place].reused = true
            exchanges[exchange].move(source: .init(process: place))
            sendRequest(exchange)
            return
        }
        guard let address = pools.address(of: grant.process, group: group) else {
            preconditionFailure("a process that is known has an address")
        }
        connect(exchange, to: address, process: grant.process, group: group)
    }

    /// A connection that stands already: the client's own, where it has one, or one of the pool.
    private func kept(_ process: ProcessHandle, group: Int, for exchange: Int) -> Int? {
        if downstreams[Int(exchanges[exchange].downstream)].ownUpstream >= 0,
            let own = ownUpstream(process, group: group, for: exchange)
        {
            return own
        }
        return reusable(process, group: group, for: exchange)
    }

    func connect(
        _ exchange: Int, to address: SocketAddress, process: ProcessHandle, group: Int,
        isToOther: Bool = false
    ) {
        let socket: StreamSocket
        let pending: Bool
        guard takeDescriptor() else { return connectFailed(exchange, EMFILE) }
        do {
            (socket, pending) = try address.connect()
        } catch {
            giveDescriptor()
            if error.errno == EAGAIN, postponeConnect(exchange, process, group) { return }
            return refused(exchange, error.errno, process, group, byOther: isToOther)
        }
        guard !address.isUnix || isOfItsUser(socket, process, group: group) else {
            socket.close()
            giveDescriptor()
            connectFailed(exchange, EACCES)
            return
        }
        var connection = Upstream(
            .clear(socket), group: Int32(truncatingIfNeeded: group), process: process,
            phase: .connecting, exchange: Int32(truncatingIfNeeded: exchange))
        connection.isToOther = isToOther
        guard let place = upstreams.insert(connection) else {
            socket.close()
            giveDescriptor()
            connectFailed(exchange, .noResources)
            return
        }
        exchanges[exchange].move(source: .init(process: place))
        do {
            try loop.add(
                socket.descriptor, token: token(process: place).rawValue, writable: pending)
        } catch {
            exchanges[exchange].move(source: .undecided)
            closeUpstream(place)
            connectFailed(exchange, .noResources)
            return
        }
        upstreams[place].wantsWrite = pending
        if pending || !settings.groups[group].secureServers.isEmpty {
            setUpstreamDeadline(place, after: settings.timeouts.connect)
        }
        if !pending { connected(place) }
    }

    /// The process is tried again in a moment, as its backlog is full; false: it has been for too long.
    private func postponeConnect(_ exchange: Int, _ process: ProcessHandle, _ group: Int) -> Bool {
        let patience = settings.timeouts.connect
        guard let pause = exchanges[exchange].machine.backlogFull(patience: patience, now: now)
        else { return false }
        let waiting = Upstream(
            nil, group: Int32(truncatingIfNeeded: group), process: process, phase: .postponed,
            exchange: Int32(truncatingIfNeeded: exchange))
        guard let place = upstreams.insert(waiting) else { return false }
        exchanges[exchange].move(source: .init(process: place))
        setUpstreamDeadline(place, after: pause)
        return true
    }

    /// The pause is over.
    func retryConnect(_ place: Int) {
        let exchange = Int(upstreams[place].exchange)
        exchanges[exchange].move(source: .undecided)
        closeUpstream(place)
        if exchanges[exchange].machine.triesAgain(now: now) {
            openUpstream(exchange, fresh: true)
        } else {
            connectFailed(exchange, .backlogFull)
        }
    }

    /// The connection stands: TLS comes next where the server has it, else the request.
    private func connected(_ place: Int) {
        let exchange = Int(upstreams[place].exchange)
        let group = Int(upstreams[place].group)
        guard isOfItsProcess(place) else { return upstreamConnectFailed(place, EACCES) }
        if upstreams[place].isToOther {
            pools.preferOther(of: upstreams[place].process, group: group)
        }
        guard let server = secureServer(upstreams[place].process, group: group) else {
            upstreams[place].move(to: .busy)
            return sendRequest(exchange)
        }
        guard case .clear(let socket) = upstreams[place].transport else {
            preconditionFailure("TLS begins on a connection in clear")
        }
        guard
            let tls = TLSStream(
                connecting: server.context, serverName: server.name, descriptor: socket.descriptor)
        else { return upstreamConnectFailed(place, ENOMEM) }
        upstreams[place].transport = .secure(tls, socket)
        upstreams[place].move(to: .handshaking)
        continueUpstreamHandshake(place)
    }

    private func secureServer(_ process: ProcessHandle, group: Int) -> SecureServer? {
        let servers = settings.groups[group].secureServers
        if servers.isEmpty { return nil }
        return groups[group].address(of: process).flatMap { servers[$0] }
    }

    private func continueUpstreamHandshake(_ place: Int) {
        guard case .secure(let tls, _) = upstreams[place].transport else {
            preconditionFailure("only a connection with TLS is in its handshake")
        }
        switch tls.handshake() {
        case .wantsRead:
            watchProcessWrites(place, false)
        case .wantsWrite:
            watchProcessWrites(place, true)
        case .done:
            watchProcessWrites(place, false)
            upstreams[place].isReadable = true
            upstreams[place].move(to: .busy)
            sendRequest(Int(upstreams[place].exchange))
        case .failed(let problem):
            let exchange = Int(upstreams[place].exchange)
            let process = upstreams[place].process
            let group = groups[Int(upstreams[place].group)]
            shared.mishaps.note(
                .serverTLS, now: now,
                "no TLS with the server \(group.identity(of: process)?.label ?? "") of group"
                    + " \(group.name): \(problem)")
            exchanges[exchange].move(source: .undecided)
            closeUpstream(place)
            connectFailed(exchange, .tlsFailed)
        }
    }

    /// Knows where a process is, asking the registry once for each; false: it is gone.
    private func know(_ process: ProcessHandle, group: Int) -> Bool {
        if pools.contains(process, group: group) { return true }
        guard let place = groups[group].address(of: process) else { return false }
        let address: SocketAddress
        var other: SocketAddress?
        do {
            switch place {
            case .unix(let path): address = try .unix(path)
            case .tcp(ProcessAddress.localhost, let port):
                address = try .tcp("127.0.0.1", port)
                other = try .tcp("::1", port)
            case .tcp(let host, let port): address = try .tcp(host, port)
            }
        } catch {
            return false
        }
        let label = groups[group].identity(of: process)?.label ?? ""
        var orphan = pools.establish(
            process, group: group, address: address, other: other, label: label)
        while orphan >= 0 {
            let next = upstreams[Int(orphan)].nextIdle
            upstreams[Int(orphan)].nextIdle = -1
            upstreams[Int(orphan)].previousIdle = -1
            closeUpstream(Int(orphan))
            orphan = next
        }
        return true
    }

    /// The connection to the process of an exchange that has one.
    @inline(__always)
    func upstream(of exchange: Int) -> Int {
        guard let index = exchanges[exchange].source.connection else {
            preconditionFailure("this is asked while a process answers")
        }
        return index
    }

    func upstreamEvent(_ place: Int, _ readiness: Readiness) {
        if readiness.isReadable { upstreams[place].isReadable = true }
        if readiness.isPeerClosed || readiness.isBroken {
            upstreams[place].peerClosed = true
            upstreams[place].isReadable = true
        }
        switch upstreams[place].phase {
        case .postponed:
            break
        case .idle:
            if !readiness.isEmpty { idleEnded(place) }
        case .abandoned:
            discardLastWords(place)
        case .connecting:
            if let code = upstreams[place].transport?.socket.connectFailure() {
                upstreamConnectFailed(place, code)
            } else if readiness.isWritable {
                connected(place)
            }
        case .handshaking:
            continueUpstreamHandshake(place)
        case .busy:
            let exchange = Int(upstreams[place].exchange)
            if exchanges[exchange].responsePhase == .tunnel {
                pumpTunnel(exchange)
                return
            }
            let serial = exchanges.serial(exchange)
            if readiness.isWritable { pumpRequest(exchange) }
            if exchanges.holds(exchange, serial: serial),
                exchanges[exchange].source.connection == place
            {
                pumpResponse(exchange)
            }
        }
    }

    func connectFailed(_ exchange: Int, _ code: Int32) {
        switch code {
        case let code where SystemError.isScarcity(code):
            shared.mishaps.note(
                .connecting, now: now,
                "requests are refused, for no connection to a process can be made:"
                    + " \(SystemError.message(code)); \(SystemError.remedy(code))")
            connectFailed(exchange, .noResources)
        // A unix socket with a full backlog.
        case EAGAIN: connectFailed(exchange, .backlogFull)
        case ETIMEDOUT: connectFailed(exchange, .timedOut)
        default: connectFailed(exchange, .refused)
        }
    }

    private func connectFailed(_ exchange: Int, _ failure: ConnectFailure) {
        let group = settings.groups[Int(exchanges[exchange].group)]
        releaseSlot(exchange, failure.outcome(isSpawned: group.isSpawned))
        switch exchanges[exchange].machine.connectFailed(
            failure, retries: group.retries, isSpawned: group.isSpawned)
        {
        case .ask:
            counters.add(.retries)
            admit(exchange)
        case .answer(let problem): answer(exchange, to: problem)
        }
    }

    /// The connection broke before the response head was complete.
    func brokenBeforeResponse(_ exchange: Int) {
        let place = upstream(of: exchange)
        let connection = ExchangeMachine.BrokenConnection(
            sentAny: upstreams[place].sentAny, isReused: upstreams[place].reused,
            hasSpoken: !upstreams[place].input.isEmpty)
        switch exchanges[exchange].machine.broke(
            connection, retries: settings.groups[Int(exchanges[exchange].group)].retries,
            isAlive: isAlive(upstreams[place]))
        {
        case .reconnect:
            counters.add(.retries)
            exchanges[exchange].move(source: .undecided)
            closeUpstream(place)
            openUpstream(exchange, fresh: true)
        case .answer(let problem):
            endUpstream(exchange, .failed)
            answer(exchange, to: problem)
        }
    }

    /// As far as the registry knows.
    private func isAlive(_ upstream: borrowing Upstream) -> Bool {
        groups[Int(upstream.group)].address(of: upstream.process) != nil
    }

    /// Ends the process's part in an exchange and its connection with it.
    ///
    /// - Parameter isLate: The process is given up, but may well be at work on the request.
    func endUpstream(_ exchange: Int, _ outcome: ExchangeOutcome, isLate: Bool = false) {
        if let place = exchanges[exchange].source.connection {
            exchanges[exchange].move(source: .finished)
            if isLate || outcome == .abandoned, isAtWork(exchange, place) {
                return leaveBehind(exchange, place, outcome)
            }
            closeUpstream(place)
        }
        releaseSlot(exchange, outcome)
    }

    /// The whole response is here: the slot is free, and the connection too if it is still good.
    func finishUpstream(_ exchange: Int) {
        let place = upstream(of: exchange)
        exchanges[exchange].move(source: .finished)
        let group = Int(exchanges[exchange].group)
        let mayKeep =
            settings.groups[group].keepalive && !upstreams[place].peerClosed
            && upstreams[place].output.isEmpty
        switch exchanges[exchange].machine.responseEnded(
            isSilent: upstreams[place].input.isEmpty, mayKeep: mayKeep)
        {
        case .keep:
            buffers.release(&upstreams[place].input)
            buffers.release(&upstreams[place].output)
            upstreams[place].move(to: .idle)
            upstreams[place].exchange = -1
            upstreams[place].idleSince = now
            upstreams[place].headScan = 0
            upstreams[place].deadline = Int64.max
            if exchanges[exchange].signsInConnection || upstreams[place].owner >= 0 {
                keepForClient(place, after: exchange)
            } else {
                pool(place, after: exchange)
            }
        case .distrust:
            distrust(upstreams[place].process, group: group)
            closeUpstream(place)
        case .close: closeUpstream(place)
        }
        releaseSlot(exchange, .served)
    }

    func closeUpstream(_ place: Int) {
        if upstreams[place].phase == .idle {
            if upstreams[place].owner >= 0 {
                unlinkOwn(place)
            } else {
                pools.unlink(place, in: upstreams)
            }
        } else if upstreams[place].phase == .abandoned {
            releaseAbandoned(place)
        }
        if let transport = upstreams[place].transport {
            transport.close()
            giveDescriptor()
        }
        buffers.release(&upstreams[place].input)
        buffers.release(&upstreams[place].output)
        deadlines.cancel(process: place)
        upstreams.remove(place)
    }
}
