internal import Backends
internal import HTTPWire
internal import Testing

@testable internal import Exchanges

/// Processes: they answer early, late, twice or never, close in the middle, and take nothing for a while.
extension ExchangeWorld {
    /// A process reads a piece; a new head makes it decide what it is going to say.
    func read(_ piece: Piece, on connection: FakeConnection, of exchange: FakeExchange) throws {
        if piece.number == 0 {
            guard connection.hasWholeRequest else {
                throw Violation(description: "a head in the middle of \(connection.serves)'s body")
            }
            connection.serves = piece.exchange
            connection.read = 0
            connection.expected = exchange.count + 1
            write(connection, exchange)
            if !exchange.attempts.isEmpty, !exchange.isIdempotent {
                throw Violation(description: "\(exchange.id) is repeated and must not be")
            }
            exchange.attempts.append(ObjectIdentifier(connection))
        }
        guard piece == Piece(exchange: connection.serves, number: connection.read) else {
            throw Violation(description: "\(piece) comes in the request of \(connection.serves)")
        }
        connection.read += 1
    }

    private func write(_ connection: FakeConnection, _ exchange: FakeExchange) {
        let id = connection.serves
        var script: [Reply] = []
        connection.waitsForWholeRequest = chance(75)
        connection.closesBehindScript = chance(15)
        if exchange.machine.traits.expectsContinue, chance(60) {
            script.append(.interim(status: 100, Piece(exchange: id, number: -1)))
        }
        if chance(10) { script.append(.interim(status: 103, Piece(exchange: id, number: -1))) }
        let head = Piece(exchange: id, number: 0)
        if exchange.machine.traits.upgrade != .none, chance(80) {
            connection.script = script + [.switching(head)]
            return
        }
        if chance(4) { script.append(.garbage) }
        let pieces = (1...5).map { Reply.body(Piece(exchange: id, number: $0)) }
        let count = Int.random(in: 0...5, using: &generator)
        let keeps = chance(85)
        switch Int.random(in: 0..<10, using: &generator) {
        case ..<5:
            script.append(
                .head(.length(UInt64(count)), keepsConnection: keeps, isEventStream: false, head))
            script += pieces.prefix(count) + [.end]
        case ..<7:
            script.append(
                .head(.untilClose, keepsConnection: false, isEventStream: false, head))
            script += pieces.prefix(count)
            connection.closesBehindScript = true
        default:
            script.append(
                .head(.chunked, keepsConnection: keeps, isEventStream: chance(30), head))
            script += pieces.prefix(count) + [.end]
        }
        if chance(8) {
            // More than its response: noise, or another response for the next request.
            script +=
                chance(50)
                ? [.garbage]
                : [.head(.length(0), keepsConnection: true, isEventStream: false, head), .end]
        }
        if chance(12) {
            // It closes in the middle, or sends nothing at all.
            script.removeLast(Int.random(in: 1...script.count, using: &generator))
            connection.closesBehindScript = chance(70)
        }
        connection.script = script
    }

    /// Something that the process of an exchange does, or fails to do.
    func act(process exchange: FakeExchange) throws {
        guard let connection = exchange.connection else { return }
        if connection.isPostponed { return try endPause(exchange, connection) }
        if connection.isPending { return try establish(exchange, connection) }
        switch Int.random(in: 0..<100, using: &generator) {
        case ..<6 where !isEnding: connection.takes.toggle()
        case ..<8 where !isEnding: connection.hasClosed = true
        case ..<11: return try processTimeout(exchange)
        default: speak(connection)
        }
        if connection.takes { try pumpRequest(exchange) }
        guard live[exchange.id] != nil, exchange.connection === connection else { return }
        if exchange.machine.response.phase == .tunnel {
            if chance(30) || isEnding { exchange.machine.tunnel.processEnded() }
            return try pumpTunnel(exchange)
        }
        try pumpResponse(exchange)
        guard isEnding, live[exchange.id] != nil, exchange.connection === connection,
            connection.script.isEmpty, connection.unread.isEmpty
        else { return }
        // Nothing more comes from a process that has sent all its pieces.
        try processTimeout(exchange)
    }

    /// The process sends its next piece, if it is its turn.
    private func speak(_ connection: FakeConnection) {
        guard !connection.hasClosed, connection.read > 0 else { return }
        if connection.waitsForWholeRequest, !connection.hasWholeRequest {
            guard case .interim = connection.script.first else { return }
        }
        if !connection.script.isEmpty {
            connection.unread.append(connection.script.removeFirst())
            // What lies behind an end is here together with it.
            if connection.unread.last == .end {
                connection.unread += connection.script
                connection.script = []
            }
        } else if connection.closesBehindScript {
            connection.hasClosed = true
        }
    }

    private func processTimeout(_ exchange: FakeExchange) throws {
        switch exchange.machine.processTimedOut(now: now) {
        case .answer, .answerAndReplace:
            endConnection(exchange, .failed, isLate: true)
            try answer(exchange)
        case .cutShort, .cutShortAndReplace: try cutShort(exchange)
        case .endTunnel:
            endConnection(exchange, .served)
            try leave(exchange, isComplete: true)
        }
    }

    /// The client sees that something is missing.
    func cutShort(_ exchange: FakeExchange) throws {
        endConnection(exchange, .failed)
        _ = flush(exchange)
        tally.cutShort += 1
        try leave(exchange, isComplete: false)
    }
}
