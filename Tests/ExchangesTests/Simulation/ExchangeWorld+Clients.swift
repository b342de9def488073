internal import Backends
internal import HTTPWire
internal import Testing

@testable internal import Exchanges

/// Clients: requests with bodies that come in pieces, and readers that stop, leave or only half leave.
extension ExchangeWorld {
    func arrive() throws {
        lastID += 1
        var traits = RequestTraits()
        traits.hasBody = chance(40)
        traits.isHTTP11 = chance(90)
        traits.isIdempotent = chance(70)
        traits.expectsContinue = traits.hasBody && chance(25)
        traits.upgrade =
            traits.hasBody ? .none : chance(10) ? .webSocket : chance(5) ? .other : .none
        var machine = ExchangeMachine(waiter: WaiterTag(UInt64(lastID)))
        machine.begin(traits)
        machine.admission.newSession = SessionID(high: UInt64(lastID), low: 1)
        if chance(50) { machine.admission.claim = sessions.randomElement(using: &generator) }
        let count = traits.hasBody ? Int.random(in: 1...6, using: &generator) : 0
        let exchange = FakeExchange(
            id: lastID, machine: machine, count: count, lies: traits.hasBody && chance(5))
        live[lastID] = exchange
        exchange.takes = chance(70)
        if traits.hasBody, chance(60) {
            exchange.arrived = Int.random(in: 0...count, using: &generator)
        }
        let start = exchange.machine.headParsed(
            bodyIsHere: traits.hasBody && exchange.arrived == count && !exchange.lies,
            nothingFollows: exchange.arrived == 0, buffersBodies: buffersBodies)
        exchange.holdsStoredBody = traits.hasBody
        switch start {
        case .ask: try admit(exchange)
        case .buffer: try store(exchange)
        }
    }

    /// Something that a client does, or fails to do.
    func act(client exchange: FakeExchange) throws {
        if isEnding { return try finish(client: exchange) }
        switch Int.random(in: 0..<100, using: &generator) {
        case ..<45: try sendPiece(exchange)
        case ..<75:
            exchange.takes = true
            try resume(exchange)
        case ..<85: exchange.takes = false
        case ..<90:
            exchange.hasEnded = true
            try readable(exchange)
        case ..<93: try abandon(exchange)
        case ..<97: try clientTimeout(exchange)
        default: try finish(client: exchange)
        }
    }

    /// A client that does what it should: sends its body, reads its response, ends its tunnel.
    private func finish(client exchange: FakeExchange) throws {
        if exchange.machine.response.phase == .tunnel {
            exchange.machine.tunnel.clientEnded()
            return try pumpTunnel(exchange)
        }
        try sendPiece(exchange)
        guard live[exchange.id] != nil else { return }
        exchange.takes = true
        try resume(exchange)
        // It waits for its 100 no longer than the process is given for it.
        if live[exchange.id] != nil, exchange.machine.awaitsInvitation {
            try clientTimeout(exchange)
        }
    }

    private func sendPiece(_ exchange: FakeExchange) throws {
        let mayBegin = !exchange.machine.awaitsInvitation || chance(10)
        if exchange.arrived < exchange.count, mayBegin {
            exchange.arrived += 1
            if exchange.machine.request.phase == .sending {
                exchange.machine.bodyArrived(now: now)
            }
        }
        try readable(exchange)
    }

    private func readable(_ exchange: FakeExchange) throws {
        switch exchange.machine.clientReadable(hasEnded: exchange.hasEnded) {
        case .abandon: try abandon(exchange)
        case .buffer: try store(exchange)
        case .send: try pumpRequest(exchange)
        case .nothing: break
        }
    }

    private func clientTimeout(_ exchange: FakeExchange) throws {
        switch exchange.machine.clientTimedOut() {
        case .showWaitingPage:
            guard chance(50), let ticket = exchange.machine.ticket,
                group.keepTurn(ticket, now: instant)
            else { return }
            _ = exchange.machine.leaveQueue()
            try answer(exchange)
        case .invite: try pumpRequest(exchange)
        case .answer: try answer(exchange)
        case .checkReading: if chance(30) { try abandon(exchange) }
        case .abandon: try abandon(exchange)
        }
    }

    /// The client takes what waits for it, if it takes anything.
    func flush(_ exchange: FakeExchange) -> FlushOutcome {
        guard exchange.takes else { return exchange.output.isEmpty ? .done : .blocked }
        exchange.received += exchange.output
        exchange.output = []
        return .done
    }

    private func resume(_ exchange: FakeExchange) throws {
        switch exchange.machine.clientWritable(flush(exchange)) {
        case .complete: try leave(exchange, isComplete: true)
        case .resume:
            exchange.machine.clock.resume(now: now)
            try pumpResponse(exchange)
        case .pumpTunnel: try pumpTunnel(exchange)
        case .abandon: try abandon(exchange)
        case .nothing: break
        }
    }

    /// The client has gone, or is given up.
    func abandon(_ exchange: FakeExchange) throws {
        leaveQueue(exchange)
        endConnection(exchange, .abandoned)
        tally.abandoned += 1
        try leave(exchange, isComplete: false)
    }

    /// The exchange is over: what its client has got is looked at.
    func leave(_ exchange: FakeExchange, isComplete: Bool) throws {
        live[exchange.id] = nil
        let name = "exchange \(exchange.id)"
        if exchange.machine.holdsSlot { throw Violation(description: "\(name) leaves with a slot") }
        if isComplete, exchange.answers != 1 {
            throw Violation(description: "\(name) has \(exchange.answers) answers")
        }
        if isComplete { tally.answered += 1 }
        for (number, piece) in exchange.received.enumerated()
        where piece != Piece(exchange: exchange.id, number: number) {
            throw Violation(description: "\(name) was sent \(piece) as number \(number)")
        }
    }
}
