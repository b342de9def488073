internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// The page that a new visitor sees while a process starts, or a queue is long.
///
/// The visitor's place in the group's queue stays: what it gets is a session, without a request on it, for
/// which the page has brought a cookie. The page asks again until the session is there.
extension Placement {
    /// How long a browser is kept waiting for its page without a word.
    private static let patience = Interval.seconds(3)
    /// How soon the page asks again.
    private static let again = 2

    /// A new visitor is told after a while that there is something to wait for.
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

    /// The visitor has waited long enough: a browser is shown the page, and the place is kept.
    func showWaitingPage(_ exchange: Int) {
        guard let session = exchanges[exchange].machine.admission.newSession,
            answers.preference(exchange).isNavigation
        else { return }
        // With the cookie of the page its place is kept already.
        guard exchanges[exchange].machine.admission.claim == nil else {
            return answers.give(exchange, .waiting(Self.again))
        }
        let serial = exchanges.serial(exchange)
        exchanges[exchange].machine.keepTurn()
        let cookie = sessions.cookieField(of: session, on: .toCome, exchange)
        answers.give(exchange, .waiting(Self.again), setCookie: cookie)
        slots.releaseFollowers(of: exchange, serial: serial)
    }
}

extension Incarnation {
    /// Stands in a cookie for a process that is still to come; no process is drawn it.
    static let toCome = Incarnation(0)
}
