internal import Backends
internal import Exchanges
internal import Settings

/// Handles an exchange whose client or process has timed out.
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

    /// The client should have sent or read something.
    func clientTimedOut(_ exchange: Int) -> Step {
        let entry = Int(exchanges[exchange].downstream)
        switch exchanges[exchange].machine.clientTimedOut() {
        case .showWaitingPage: placement.showWaitingPage(exchange)
        case .invite: return requests.invite(exchange)
        case .answer(let problem): answers.give(exchange, to: problem)
        case .checkReading where downstreams.isTaking(entry):
            downstreams.setDeadline(entry, after: plan.settings.timeouts.bodyIdle)
        // The client does not read its response.
        case .checkReading, .abandon: clientEnds.abandon(entry)
        }
        return .over
    }

    /// The process should have responded, or continued its response.
    func processTimedOut(_ exchange: Int) {
        let group = plan.groups[Int(exchanges[exchange].group)]
        let process = exchanges[exchange].machine.grant?.process
        switch exchanges[exchange].machine.processTimedOut(now: exchanges.now) {
        case .answer(let problem):
            processEnds.end(exchange, .failed, isLate: true)
            answers.give(exchange, to: problem)
            return
        case .cutShort: return clientEnds.cutShort(exchange, isLate: true)
        // No bytes have passed for too long, or none since the process closed.
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
