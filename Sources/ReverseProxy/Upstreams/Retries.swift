internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// Decides after a failed attempt: another attempt, or a response to the client.
///
/// Belongs to the loop's thread.
final class Retries {
    private let exchanges: ExchangeTable
    private let upstreams: Upstreams
    private let counters: LoopCounters
    private let plan: Plan
    private let slots: Slots
    private let processEnds: ProcessEnds
    private let answers: OwnAnswers

    init(_ owners: Owners, slots: Slots, processEnds: ProcessEnds, answers: OwnAnswers) {
        exchanges = owners.exchanges
        upstreams = owners.upstreams
        counters = owners.counters
        plan = owners.plan
        self.slots = slots
        self.processEnds = processEnds
        self.answers = answers
    }

    /// Connecting to the process failed.
    func connectFailed(_ exchange: Int, _ failure: ConnectFailure) -> Step {
        let group = plan.settings.groups[Int(exchanges[exchange].group)]
        slots.release(exchange, failure.outcome(isSpawned: group.isSpawned))
        switch exchanges[exchange].machine.connectFailed(
            failure, retries: group.retries, isSpawned: group.isSpawned)
        {
        case .ask:
            counters.add(.retries)
            return .ask
        case .answer(let problem):
            answers.give(exchange, to: problem)
            return .over
        }
    }

    /// The connection broke before the response head was complete.
    func broke(_ exchange: Int) -> Step {
        let entry = exchanges.upstream(of: exchange)
        let connection = ExchangeMachine.BrokenConnection(
            sentAny: upstreams[entry].sentAny, isReused: upstreams[entry].reused,
            hasResponded: !upstreams[entry].input.isEmpty || upstreams[entry].records.hasSpoken)
        switch exchanges[exchange].machine.broke(
            connection, retries: plan.settings.groups[Int(exchanges[exchange].group)].retries,
            isAlive: isAlive(upstreams[entry]))
        {
        case .reconnect:
            counters.add(.retries)
            exchanges[exchange].move(source: .undecided)
            upstreams.close(entry)
            return .reconnect
        case .answer(let problem):
            processEnds.end(exchange, .failed)
            answers.give(exchange, to: problem)
            return .over
        }
    }

    /// Whether the registry believes that the process is alive.
    private func isAlive(_ upstream: borrowing Upstream) -> Bool {
        plan.groups[Int(upstream.group)].address(of: upstream.process) != nil
    }
}
