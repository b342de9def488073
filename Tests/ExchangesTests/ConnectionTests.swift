internal import Backends
internal import Testing

@testable internal import Exchanges

/// From a slot to a connection, and what is tried again.
@Suite struct ConnectionTests {
    @Test func `a full backlog is tried again at growing pauses until the time is over`() {
        var machine = Situation.connecting.machine()
        var now = Situation.now
        var pauses: [Interval] = []
        while let pause = machine.backlogFull(patience: .seconds(1), now: now) {
            pauses.append(pause)
            now += pause.nanoseconds
        }
        #expect(pauses.first == .milliseconds(2))
        #expect(pauses.max() == .milliseconds(50))
        #expect(now == Situation.now + Interval.seconds(1).nanoseconds)
    }

    @Test func `the time of the request ends the attempts too`() {
        let machine = Situation.connectingToFullBacklog.machine(limit: .seconds(2))
        #expect(machine.triesAgain(now: Situation.now + 1_999_999_999))
        #expect(machine.triesAgain(now: Situation.now + 2_000_000_000) == false)
    }

    @Test func `only a process that cannot be reached sends a request to the next`() {
        for failure in ConnectFailure.allCases {
            for isSpawned in [false, true] {
                var machine = Situation.connecting.machine()
                let result = machine.connectFailed(failure, retries: 1, isSpawned: isSpawned)
                let goesOn =
                    switch failure {
                    case .refused, .tlsFailed: true
                    case .timedOut: !isSpawned
                    case .backlogFull, .noResources: false
                    }
                #expect(result == (goesOn ? .ask : .answer(failure.problem)), "\(failure)")
            }
        }
    }

    @Test func `servers are tried as often as the group allows, its own processes more often`() {
        for (retries, isSpawned, tries) in [(0, true, 0), (2, false, 2), (1, true, 16)] {
            var machine = Situation.connecting.machine()
            var count = 0
            while machine.connectFailed(.refused, retries: retries, isSpawned: isSpawned) == .ask {
                count += 1
            }
            #expect(count == tries)
        }
    }

    @Test func `a request that may have ended its process is not given to another`() {
        var machine = Situation.awaitingAnswer.machine()
        let connection = ExchangeMachine.BrokenConnection(
            sentAny: true, isReused: false, hasResponded: false)
        #expect(machine.broke(connection, retries: 1, isAlive: true) == .reconnect)
        #expect(
            machine.connectFailed(.refused, retries: 5, isSpawned: true)
                == .answer(.connectionTerminated))
    }

    /// What decides about a request whose connection broke.
    struct Break: Sendable {
        var sentAny = true
        var isReused = false
        var hasResponded = false
        var isIdempotent = true
        var isAlive = true
        var bodyIsKept = true
        var retries = 1
        var isRepeated = true
    }

    @Test(arguments: [
        Break(),
        Break(sentAny: false, isIdempotent: false, isAlive: false),
        Break(isReused: true),
        Break(sentAny: false, isReused: true, retries: 0),
        Break(retries: 0, isRepeated: false),
        Break(isReused: true, retries: 0, isRepeated: false),
        Break(hasResponded: true, isRepeated: false),
        Break(isIdempotent: false, isRepeated: false),
        Break(isAlive: false, isRepeated: false),
        Break(bodyIsKept: false, isRepeated: false),
    ])
    func `a request is repeated when nothing of it can have had an effect`(_ given: Break) {
        var machine = Situation.awaitingAnswer.machine { $0.isIdempotent = given.isIdempotent }
        if !given.bodyIsKept { machine.dropBody() }
        let connection = ExchangeMachine.BrokenConnection(
            sentAny: given.sentAny, isReused: given.isReused, hasResponded: given.hasResponded)
        let result = machine.broke(connection, retries: given.retries, isAlive: given.isAlive)
        #expect(result == (given.isRepeated ? .reconnect : .answer(.connectionTerminated)))
        #expect(machine.request.phase == (given.isRepeated ? .connecting : .done))
    }

    @Test func `connections that were closed before do not count as attempts`() {
        var machine = Situation.awaitingAnswer.machine()
        let stale = ExchangeMachine.BrokenConnection(
            sentAny: false, isReused: true, hasResponded: false)
        let fresh = ExchangeMachine.BrokenConnection(
            sentAny: true, isReused: false, hasResponded: false)
        for _ in 0..<3 { #expect(machine.broke(stale, retries: 1, isAlive: true) == .reconnect) }
        #expect(machine.broke(fresh, retries: 1, isAlive: true) == .reconnect)
        #expect(
            machine.broke(fresh, retries: 1, isAlive: true) == .answer(.connectionTerminated))
    }
}
