internal import Backends
internal import HTTPWire
internal import Testing

@testable internal import Exchanges

/// The part of the machine's owner: it carries out what the machine returns.
extension ExchangeWorld {
    // MARK: Slots

    func store(_ exchange: FakeExchange) throws {
        let isWhole = exchange.arrived == exchange.count
        let fill: BodyFill =
            isWhole ? exchange.lies ? .bad : .ended : exchange.arrived >= 4 ? .full : .starved
        switch exchange.machine.bodyStored(fill, isTooLarge: false) {
        case .ask, .askWithMore: try admit(exchange)
        case .read: break
        case .answer: try answer(exchange)
        }
    }

    func admit(_ exchange: FakeExchange) throws {
        switch group.acquire(exchange.machine.admission, now: instant) {
        case .granted(let grant): try granted(exchange, grant)
        case .queued(let ticket):
            tally.queued += 1
            exchange.machine.queued(ticket)
            if exchange.hasEnded { try abandon(exchange) }
        case .refused(let refusal):
            try follow(exchange, exchange.machine.refused(refusal, isLate: false))
        case .needsSpawn: try follow(exchange, exchange.machine.needsSpawn(wait: nil))
        }
    }

    func follow(_ exchange: FakeExchange, _ result: ExchangeMachine.Refused) throws {
        switch result {
        case .ask: try admit(exchange)
        case .answer: try answer(exchange)
        case .abandon: try abandon(exchange)
        case .nothing: tally.late += 1
        }
    }

    func granted(_ exchange: FakeExchange, _ grant: Grant) throws {
        switch exchange.machine.granted(grant, limit: limit, isLate: false, now: now) {
        case .connect:
            if let session = grant.session {
                sessions.append(.init(session: session, process: grant.incarnation))
                if sessions.count > 20 { sessions.removeFirst() }
            }
            try connect(exchange, fresh: false)
        case .abandon: try abandon(exchange)
        case .giveBack:
            tally.late += 1
            group.finished(grant, .abandoned, isAnswered: false, now: instant)
        }
    }

    func leaveQueue(_ exchange: FakeExchange) {
        guard let ticket = exchange.machine.leaveQueue() else { return }
        _ = group.leaveQueue(ticket, now: instant)
    }

    private func returnSlot(_ exchange: FakeExchange, _ outcome: ExchangeOutcome) {
        give(exchange.machine.returnSlot(), outcome)
    }

    private func give(_ slot: ExchangeMachine.SlotReturn, _ outcome: ExchangeOutcome) {
        switch slot {
        case .none: break
        case .request(let grant, let isAnswered):
            group.finished(grant, outcome, isAnswered: isAnswered, now: instant)
        case .tunnel(let grant, let heldSlot):
            group.endTunnel(grant, outcome, heldSlot: heldSlot, now: instant)
        }
    }

    // MARK: Connections

    private func connect(_ exchange: FakeExchange, fresh: Bool) throws {
        guard let grant = exchange.machine.grant else {
            throw Violation(description: "a connection without a grant")
        }
        let kept = idle.lastIndex { $0.process == grant.process }
        if !fresh, let kept {
            let connection = idle.remove(at: kept)
            connection.exchange = exchange.id
            connection.isReused = true
            connection.sentAny = false
            exchange.connection = connection
            tally.reused += 1
            return try send(exchange)
        }
        let connection = FakeConnection(grant.process)
        connection.exchange = exchange.id
        connection.isPending = true
        exchange.connection = connection
        if chance(50) || isEnding { try establish(exchange, connection) }
    }

    func establish(_ exchange: FakeExchange, _ connection: FakeConnection) throws {
        switch Int.random(in: 0..<100, using: &generator) {
        case ..<6: try unconnected(exchange, .refused)
        case ..<8: try unconnected(exchange, .timedOut)
        case ..<9: try unconnected(exchange, .noResources)
        case ..<16:
            guard exchange.machine.backlogFull(patience: .milliseconds(300), now: now) != nil else {
                return try unconnected(exchange, .backlogFull)
            }
            connection.isPostponed = true
        default:
            connection.isPending = false
            try send(exchange)
        }
    }

    func endPause(_ exchange: FakeExchange, _ connection: FakeConnection) throws {
        connection.isPostponed = false
        if exchange.machine.triesAgain(now: now) {
            try establish(exchange, connection)
        } else {
            try unconnected(exchange, .backlogFull)
        }
    }

    private func unconnected(_ exchange: FakeExchange, _ failure: ConnectFailure) throws {
        exchange.connection = nil
        returnSlot(exchange, failure.outcome(isSpawned: false))
        switch exchange.machine.connectFailed(failure, retries: retries, isSpawned: false) {
        case .ask:
            tally.retries += 1
            try admit(exchange)
        case .answer: try answer(exchange)
        }
    }

    /// Ends the process's part; one that is at work keeps the slot until it is done.
    func endConnection(
        _ exchange: FakeExchange, _ outcome: ExchangeOutcome, isLate: Bool = false
    ) {
        let connection = exchange.connection
        exchange.connection?.exchange = nil
        exchange.connection = nil
        if isLate || outcome == .abandoned, let connection, !isEnding,
            exchange.machine.isAtWork(
                sentAny: connection.sentAny, hasClosed: connection.hasClosed, now: now)
        {
            left.append(
                exchange.machine.leaveBehind(
                    outcome, deadline: now + 500_000_000, now: now))
        } else {
            returnSlot(exchange, outcome)
        }
    }

    /// A process is done with what was given up, or has had its time.
    func endLeft(at place: Int) {
        now = max(now, left[place].deadline)
        if left[place].received(chance(50) ? 100 : 0) != .tooMuch {
            let (timeout, isOverdue) = left[place].timedOut(isBounded: limit != nil, now: now)
            if isOverdue, let grant = left[place].slot.grant { group.overdue(grant, now: instant) }
            if timeout == .wait { return }
        }
        let done = left.remove(at: place)
        give(done.slot, done.outcome)
    }

    private func broke(_ exchange: FakeExchange) throws {
        guard let connection = exchange.connection else { return }
        let facts = ExchangeMachine.BrokenConnection(
            sentAny: connection.sentAny, isReused: connection.isReused,
            hasResponded: !connection.unread.isEmpty)
        let isAlive = chance(90)
        switch exchange.machine.broke(facts, retries: retries, isAlive: isAlive) {
        case .reconnect:
            tally.retries += 1
            connection.exchange = nil
            exchange.connection = nil
            try connect(exchange, fresh: true)
        case .answer:
            endConnection(exchange, .failed)
            try answer(exchange)
        }
    }

    // MARK: The request

    private func send(_ exchange: FakeExchange) throws {
        if exchange.hasSentHead, exchange.sent > 0, !exchange.machine.bodyIsKept {
            throw Violation(description: "\(exchange.id) sends a body again that was dropped")
        }
        exchange.hasSentHead = false
        exchange.sent = 0
        exchange.machine.connected(nothingFollows: exchange.arrived == 0, now: now)
        try pumpRequest(exchange)
    }

    func pumpRequest(_ exchange: FakeExchange) throws {
        guard exchange.machine.request.phase == .sending else { return }
        guard let connection = exchange.connection else {
            throw Violation(description: "\(exchange.id) sends to no process")
        }
        if exchange.lies, exchange.arrived == exchange.count {
            switch exchange.machine.bodyIsBad() {
            case .answer: return try answer(exchange)
            case .abandon: return try abandon(exchange)
            }
        }
        let outcome: FlushOutcome =
            connection.hasClosed ? .broken : connection.takes ? .done : .blocked
        if outcome == .done {
            connection.sentAny = true
            if !exchange.hasSentHead {
                exchange.hasSentHead = true
                try read(Piece(exchange: exchange.id, number: 0), on: connection, of: exchange)
            }
            while exchange.sent < exchange.arrived {
                exchange.sent += 1
                let piece = Piece(exchange: exchange.id, number: exchange.sent)
                try read(piece, on: connection, of: exchange)
            }
        }
        let fill: BodyFill = exchange.arrived == exchange.count ? .ended : .starved
        let isUntouched = connection.isReused && !connection.sentAny
        switch exchange.machine.sent(outcome, fill, isUntouched: isUntouched) {
        case .awaitProcess: break
        case .retry: try broke(exchange)
        case .readResponse: try pumpResponse(exchange)
        case .finished(let dropsBody): if dropsBody { dropBody(exchange) }
        case .fill: throw Violation(description: "\(exchange.id) has nothing more to send")
        case .read:
            dropBody(exchange)
            switch exchange.machine.bodyIsAwaited() {
            case .client: exchange.machine.clock.pause(now: now)
            case .invitation, .response: break
            }
        }
    }

    private func dropBody(_ exchange: FakeExchange) {
        exchange.machine.dropBody()
        exchange.holdsStoredBody = false
    }

    // MARK: The response

    func pumpResponse(_ exchange: FakeExchange) throws {
        while live[exchange.id] != nil, let connection = exchange.connection, !connection.isPending
        {
            switch exchange.machine.response.phase {
            case .received, .tunnel: return
            case .awaitingHead, .streaming: break
            }
            guard let reply = connection.unread.first else {
                guard connection.hasClosed else { return }
                return try processClosed(exchange)
            }
            if case .streaming = exchange.machine.response, flush(exchange) == .blocked,
                exchange.output.count >= Self.outputLimit
            {
                exchange.machine.clock.pause(now: now)
                return
            }
            try take(reply, exchange, connection)
        }
    }

    /// One piece that the process has sent.
    private func take(
        _ reply: Reply, _ exchange: FakeExchange, _ connection: FakeConnection
    ) throws {
        let isWaiting = exchange.machine.response.phase == .awaitingHead
        switch reply {
        case .interim(let status, let piece) where isWaiting:
            connection.unread.removeFirst()
            try own(piece, exchange)
            switch exchange.machine.interimHead(status: status, clientIsBehind: !exchange.takes) {
            case .pass, .drop: break
            case .invite: exchange.machine.endInvitation()
            }
        case .head(let framing, let keeps, let isEventStream, let piece) where isWaiting:
            connection.unread.removeFirst()
            if exchange.machine.request.phase != .done { tally.early += 1 }
            let head = exchange.machine.finalHead(
                framing, keepsConnection: keeps, isEventStream: isEventStream)
            exchange.answers += 1
            exchange.endsWithConnection = framing == .untilClose
            exchange.output.append(piece)
            if exchange.machine.headPassed(head.streaming) { dropBody(exchange) }
        case .switching(let piece) where isWaiting && exchange.machine.maySwitch:
            connection.unread.removeFirst()
            exchange.answers += 1
            exchange.output.append(piece)
            exchange.machine.switched(now: now)
            tally.tunnels += 1
            if let grant = exchange.machine.grant {
                exchange.machine.tunnel.holdsSlot = group.beginTunnel(grant, now: instant)
            }
        case .body(let piece) where !isWaiting:
            connection.unread.removeFirst()
            exchange.output.append(piece)
        case .end where !isWaiting:
            connection.unread.removeFirst()
            try endResponse(exchange)
        case .interim, .head, .switching, .body, .end, .garbage:
            guard isWaiting else { return try cutShort(exchange) }
            endConnection(exchange, .failed)
            try answer(exchange)
        }
    }

    private func own(_ piece: Piece, _ exchange: FakeExchange) throws {
        if piece.exchange != exchange.id {
            throw Violation(description: "\(exchange.id) got the piece of \(piece.exchange)")
        }
    }

    private func processClosed(_ exchange: FakeExchange) throws {
        let isEnd = exchange.endsWithConnection && exchange.connection?.script.isEmpty == true
        switch exchange.machine.processClosed(isEnd: isEnd) {
        case .broke: try broke(exchange)
        case .ended: try endResponse(exchange)
        case .cutShort: try cutShort(exchange)
        }
    }

    private func endResponse(_ exchange: FakeExchange) throws {
        guard let connection = exchange.connection else { return }
        exchange.connection = nil
        connection.exchange = nil
        switch exchange.machine.responseEnded(
            isSilent: connection.unread.isEmpty, mayKeep: !connection.hasClosed)
        {
        case .keep: idle.append(connection)
        case .close, .distrust: break
        }
        returnSlot(exchange, .served)
        try finishAnswer(exchange)
    }

    private func finishAnswer(_ exchange: FakeExchange) throws {
        if flush(exchange) == .done { try leave(exchange, isComplete: true) }
    }

    /// An answer of Mooring's own.
    func answer(_ exchange: FakeExchange) throws {
        leaveQueue(exchange)
        endConnection(exchange, .abandoned)
        exchange.machine.answered()
        exchange.answers += 1
        exchange.output.append(Piece(exchange: exchange.id, number: 0))
        try finishAnswer(exchange)
    }

    // MARK: Tunnels and the end

    func pumpTunnel(_ exchange: FakeExchange) throws {
        guard exchange.machine.response.phase == .tunnel else { return }
        _ = exchange.machine.tunnel.endsToProcess()
        if flush(exchange) == .done { _ = exchange.machine.tunnel.endsToClient() }
        guard exchange.machine.tunnel.isOver else { return }
        endConnection(exchange, .served)
        try leave(exchange, isComplete: true)
    }

    /// Ends what has no end of its own; true: the exchange is over.
    func shutDown(_ exchange: FakeExchange) throws -> Bool {
        switch exchange.machine.shutDown(now: now) {
        case .nothing: return false
        case .closeTunnel:
            if exchange.machine.tunnel.sendsClose(now: now) { return false }
        case .passRest:
            try pumpResponse(exchange)
            guard live[exchange.id] != nil, exchange.machine.isEventStream,
                exchange.connection?.unread.isEmpty == true
            else { return live[exchange.id] == nil }
            endConnection(exchange, .abandoned)
            exchange.machine.eventStreamEnded()
            try finishAnswer(exchange)
        }
        return live[exchange.id] == nil
    }
}
