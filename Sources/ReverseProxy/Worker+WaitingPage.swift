internal import Backends
internal import HTTPWire
internal import Reactor

/// The page that a new visitor sees while a process starts, or a queue is long.
///
/// The visitor's place in the group's queue stays: what it gets is a session, without a request on it, for
/// which the page has brought a cookie. The page asks again until the session is there.
extension Worker {
    /// How long a browser is kept waiting for its page without a word.
    private static let patience = Interval.seconds(3)
    /// How soon the page asks again.
    private static let again = 2

    /// A new visitor is told after a while that there is something to wait for.
    func limitPatience(_ exchange: Int) {
        guard exchanges[exchange].method == .get, exchanges[exchange].grant == nil,
            !exchanges[exchange].hasBody, exchanges[exchange].admission.newSession != nil,
            exchanges[exchange].offeredUpgrade.range.isEmpty
        else { return }
        if let claim = exchanges[exchange].admission.claim, claim.process != .toCome { return }
        setDownstreamDeadline(Int(exchanges[exchange].downstream), after: Self.patience)
    }

    /// The visitor has waited long enough: a browser is shown the page, and the place is kept.
    func showWaitingPage(_ exchange: Int) {
        guard let session = exchanges[exchange].admission.newSession,
            preference(exchange).isNavigation
        else { return }
        // With the cookie of the page its place is kept already.
        guard exchanges[exchange].admission.claim == nil else {
            return answer(exchange, .waiting(Self.again))
        }
        let serial = exchanges.serial(exchange)
        // The registry is not told that the client has left: when it is this waiter's turn, the session
        // begins, and the slot comes back at once.
        exchanges[exchange].ticket = nil
        let cookie = cookieField(of: session, on: .toCome, exchange)
        answer(exchange, .waiting(Self.again), setCookie: cookie)
        releaseFollowers(of: exchange, serial: serial)
    }
}

extension Incarnation {
    /// Stands in a cookie for a process that is still to come; no process is drawn it.
    static let toCome = Incarnation(0)
}
