internal import Backends
internal import Exchanges
internal import Settings

/// What follows when an exchange's client, or its process, has had its time.
///
/// Belongs to the loop's thread.
final class Overdue {
    private let exchanges: ExchangeTable
    private let downstreams: Downstreams
    private let plan: Plan
    private let requests: RequestPump
    private let placement: Placement
    private let answers: OwnAnswers
    private let processEnds: ProcessEnds
    private let clientEnds: ClientEnds

    init(
        _ owners: Owners, requests: RequestPump, placement: Placement, answers: OwnAnswers,
        processEnds: ProcessEnds, clientEnds: ClientEnds
    ) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        plan = owners.plan
        self.requests = requests
        self.placement = placement
        self.answers = answers
        self.processEnds = processEnds
        self.clientEnds = clientEnds
    }

    /// The client was to do something, or to take something.
    func clientTimedOut(_ exchange: Int) -> Step {
        let entry = Int(exchanges[exchange].downstream)
        switch exchanges[exchange].machine.clientTimedOut() {
        case .showWaitingPage: placement.showWaitingPage(exchange)
        case .invite: return requests.invite(exchange)
        case .answer(let problem): answers.give(exchange, to: problem)
        case .checkReading where downstreams.isTaking(entry):
            downstreams.setDeadline(entry, after: plan.settings.timeouts.bodyIdle)
        // The client does not read what it asked for.
        case .checkReading, .abandon: clientEnds.abandon(entry)
        }
        return .over
    }

    /// The process was to answer, or to go on with its answer.
    func processTimedOut(_ exchange: Int) {
        let group = plan.groups[Int(exchanges[exchange].group)]
        let process = exchanges[exchange].machine.grant?.process
        switch exchanges[exchange].machine.processTimedOut(now: exchanges.now) {
        case .answer(let problem):
            processEnds.end(exchange, .failed, isLate: true)
            answers.give(exchange, to: problem)
            return
        case .cutShort: return clientEnds.cutShort(exchange, isLate: true)
        // Nothing has passed for too long, or nothing since the process had ended.
        case .endTunnel: return clientEnds.endTunnel(exchange, .served)
        case .answerAndReplace(let problem):
            processEnds.end(exchange, .failed)
            answers.give(exchange, to: problem)
        case .cutShortAndReplace: clientEnds.cutShort(exchange)
        }
        // The client is answered, and only the process that hangs is replaced.
        if let process {
            group.recycle(process, reason: .requestTimeout, now: exchanges.instant)
        }
    }
}
