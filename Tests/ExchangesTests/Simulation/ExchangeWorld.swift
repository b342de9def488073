internal import Backends
internal import HTTPWire
internal import Simulation
internal import Testing

@testable internal import Exchanges

/// Exchanges and a registry between fake clients and fake processes.
///
/// It does what the owner of a machine does, with counted pieces for bytes, and lets chance decide what the
/// parties do next: they are slow, leave, close, close one side, and lie.
final class ExchangeWorld {
    static let outputLimit = 3
    static let mostLive = 12

    var generator: SeededGenerator
    let mail = OrderMail()
    let group: Group
    var now: Int64 = 1_000_000_000_000
    var live: [Int: FakeExchange] = [:]
    var idle: [FakeConnection] = []
    /// Exchanges that were given up while their process worked.
    var left: [LeftBehind] = []
    var lastID = 0
    var isEnding = false
    var sessions: [AdmissionRequest.Claim] = []
    let limit: Interval?
    let retries: Int
    let buffersBodies: Bool

    /// What has happened, so that a run that tests nothing is seen.
    var tally = Tally()

    struct Tally {
        var answered = 0
        var abandoned = 0
        var cutShort = 0
        var tunnels = 0
        var retries = 0
        var reused = 0
        var queued = 0
        var late = 0
        var early = 0
        var left = 0

        static func += (left: inout Tally, right: Tally) {
            left.answered += right.answered
            left.abandoned += right.abandoned
            left.cutShort += right.cutShort
            left.tunnels += right.tunnels
            left.retries += right.retries
            left.reused += right.reused
            left.queued += right.queued
            left.late += right.late
            left.early += right.early
            left.left += right.left
        }
    }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        var policy = GroupPolicy(name: "app")
        let servers = Int.random(in: 1...3, using: &generator)
        policy.kind = .external(
            (0..<servers).map { .init(address: .tcp(host: "127.0.0.1", port: UInt16(8000 + $0))) })
        policy.minimum = servers
        policy.maximum = servers
        policy.threads = Int.random(in: 1...3, using: &generator)
        policy.queueLimit = Int.random(in: 0...6, using: &generator)
        policy.queueTimeout = .seconds(2)
        limit = Bool.random(using: &generator) ? .seconds(3) : nil
        retries = Int.random(in: 0...2, using: &generator)
        buffersBodies = Bool.random(using: &generator)
        group = Group(
            index: 0, policy: policy, seed: generator.next(), executor: mail,
            now: MonotonicInstant(nanoseconds: now))
        group.start(now: instant)
    }

    var instant: MonotonicInstant { MonotonicInstant(nanoseconds: now) }

    func chance(_ share: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < share }

    /// Lets so many things happen, then everything come to its end.
    func run(steps: Int) throws {
        for _ in 0..<steps {
            try step()
            try check()
        }
        try end()
    }

    private func step() throws {
        switch Int.random(in: 0..<100, using: &generator) {
        case ..<14: if live.count < Self.mostLive { try arrive() }
        case ..<22: try deliver()
        case ..<30:
            now += Int64.random(in: 0...400, using: &generator) * 1_000_000
            group.advance(to: instant)
        case ..<31:
            if let place = left.indices.randomElement(using: &generator) {
                tally.left += 1
                endLeft(at: place)
            }
        case ..<33:
            // A process closes a connection that is kept, and the loop has not noticed yet.
            idle.randomElement(using: &generator)?.hasClosed = true
        default:
            guard let id = live.keys.sorted().randomElement(using: &generator),
                let exchange = live[id]
            else { return }
            if chance(50) { try act(client: exchange) } else { try act(process: exchange) }
        }
    }

    /// Hands over the order that was decided first.
    func deliver() throws {
        guard let order = mail.takeFirst() else { return }
        switch order {
        case .grant(let tag, let grant):
            guard let exchange = live[Int(tag.value)] else {
                tally.late += 1
                return group.finished(grant, .abandoned, isAnswered: false, now: instant)
            }
            try granted(exchange, grant)
        case .refuse(let tag, let refusal):
            guard let exchange = live[Int(tag.value)] else { return }
            try follow(exchange, exchange.machine.refused(refusal, isLate: false))
        }
    }

    /// What is true after every step.
    private func check() throws {
        if let broken = group.brokenInvariant { throw Violation(description: broken) }
        var held = mail.grants
        for exchange in live.values {
            let machine = exchange.machine
            let name = "exchange \(exchange.id), \(machine.request) and \(machine.response.phase),"
            if exchange.answers > 1 { throw Violation(description: "\(name) has two answers") }
            if machine.holdsSlot != (exchange.connection != nil) {
                throw Violation(description: "\(name) and its slot do not fit")
            }
            if exchange.holdsStoredBody, !machine.bodyIsKept {
                throw Violation(description: "\(name) keeps a body that was dropped")
            }
            if let connection = exchange.connection, connection.exchange != exchange.id {
                throw Violation(description: "\(name) has another's connection")
            }
            guard machine.holdsSlot else { continue }
            if case .tunnel(let tunnel) = machine.response, !tunnel.holdsSlot { continue }
            held += 1
        }
        for place in left.indices {
            if case .tunnel(_, let heldSlot) = left[place].slot, !heldSlot { continue }
            held += 1
        }
        let known = group.snapshot(now: instant).processes.reduce(0) { $0 + $1.inFlight }
        if held != known { throw Violation(description: "\(known) slots are taken, \(held) held") }
        for connection in idle where connection.exchange != nil {
            throw Violation(description: "an idle connection has an exchange")
        }
    }

    /// Every client stays and reads, every process sends all its pieces; then nothing may be left.
    private func end() throws {
        isEnding = true
        for _ in 0..<4_000 where !live.isEmpty || mail.grants > 0 || !left.isEmpty {
            for place in left.indices.reversed() { endLeft(at: place) }
            try deliver()
            now += 5_000_000
            group.advance(to: instant)
            for id in live.keys.sorted() {
                guard let exchange = live[id] else { continue }
                exchange.takes = true
                exchange.connection?.takes = true
                if try shutDown(exchange) { continue }
                try act(client: exchange)
                if live[id] != nil { try act(process: exchange) }
            }
            try check()
        }
        while mail.grants > 0 { try deliver() }
        if !left.isEmpty { throw Violation(description: "\(left.count) slots are never free") }
        if let stuck = live.values.first {
            throw Violation(
                description: "exchange \(stuck.id) does not end: \(stuck.machine.request)"
                    + " and \(stuck.machine.response.phase)")
        }
        try check()
    }
}
