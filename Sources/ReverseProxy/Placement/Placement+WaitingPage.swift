internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// The page that a new visitor sees while a process starts, or a queue is long.
///
/// The visitor keeps its place in the group's queue: at its turn the registry begins the session, whose
/// cookie came with the page, without a request. The page reloads until the session exists.
extension Placement {
    /// How long a browser waits without a response.
    private static let patience = Interval.seconds(3)
    /// After how many seconds the page reloads.
    private static let again = 2

    /// Limits how long a new visitor waits before the waiting page is shown.
    func limitPatience(_ exchange: Int) {
        guard exchanges[exchange].method == .get, exchanges[exchange].machine.grant == nil,
            !exchanges[exchange].machine.traits.hasBody,
            exchanges[exchange].machine.admission.newSession != nil,
            exchanges[exchange].offeredUpgrade.range.isEmpty
        else { return }
        if let claim = exchanges[exchange].machine.admission.claim, claim.process != .toCome {
            return
        }
        downstreams.setDeadline(Int(exchanges[exchange].downstream), after: Self.patience)
    }

    /// The visitor has waited long enough: shows a browser the page, and keeps its place.
    func showWaitingPage(_ exchange: Int) {
        guard let session = exchanges[exchange].machine.admission.newSession,
            answers.preference(exchange).isNavigation
        else { return }
        // With the cookie of the page it has a place already.
        guard exchanges[exchange].machine.admission.claim == nil else {
            return answers.give(exchange, .waiting(Self.again))
        }
        let group = plan.groups[Int(exchanges[exchange].group)]
        // Otherwise its turn has just come.
        guard let ticket = exchanges[exchange].machine.ticket,
            group.keepTurn(ticket, now: exchanges.instant)
        else { return }
        let serial = exchanges.serial(exchange)
        _ = exchanges[exchange].machine.leaveQueue()
        let cookie = sessions.cookieField(of: session, on: .toCome, exchange)
        answers.give(exchange, .waiting(Self.again), adding: cookie)
        slots.releaseFollowers(of: exchange, serial: serial)
    }
}

extension Incarnation {
    /// The cookie's incarnation for a process that does not exist yet; never drawn for a process.
    static let toCome = Incarnation(0)
}
