/// What a loop has put off: to a later part of the turn, or to the next one.
///
/// So that nobody's work recurses into another's, and a busy connection does not keep the others waiting.
final class Agenda {
    /// Connections that had more to move than one turn allows them.
    private var postponed: [EventToken] = []
    /// Connections whose TLS handshake can go on.
    private var handshakes: [EventToken] = []
    /// Clients that may have sent a next request ahead, to be served when the stack is empty.
    private var readAgain: [Int] = []
    /// Connections of HTTP/2 with something to send.
    private var unsent: [Int] = []
    /// Exchanges that waited for another to begin their session, and are to ask for a slot now.
    private var released: [Followers.Member] = []

    // Asked in every turn, and mostly in vain.
    @inline(__always) var hasPostponed: Bool { !postponed.isEmpty }
    @inline(__always) var hasHandshakes: Bool { !handshakes.isEmpty }
    @inline(__always) var hasReleased: Bool { !released.isEmpty }
    @inline(__always) var hasUnsent: Bool { !unsent.isEmpty }

    /// The next turn is to come at once.
    @inline(__always)
    var isBusy: Bool { hasPostponed || hasHandshakes || hasUnsent || hasReleased }

    /// Goes on with a connection once the others have had their turn.
    func postpone(_ token: EventToken) { postponed.append(token) }

    func takePostponed() -> [EventToken] {
        if postponed.isEmpty { return [] }
        let taken = postponed
        postponed.removeAll(keepingCapacity: true)
        return taken
    }

    func continueHandshake(_ token: EventToken) { handshakes.append(token) }

    /// Takes those that came first, so many at most.
    func takeHandshakes(atMost limit: Int) -> [EventToken] {
        if handshakes.isEmpty { return [] }
        let count = min(handshakes.count, limit)
        let taken = Array(handshakes.prefix(count))
        handshakes.removeFirst(count)
        return taken
    }

    func readAgain(_ client: Int) { readAgain.append(client) }

    /// The one that was noted last; nil: nobody is left.
    func takeReadAgain() -> Int? { readAgain.popLast() }

    /// A client is noted once until it is taken: see `Downstream.isUnsent`.
    func send(_ client: Int) { unsent.append(client) }

    func takeUnsent() -> [Int] {
        if unsent.isEmpty { return [] }
        let taken = unsent
        unsent.removeAll(keepingCapacity: true)
        return taken
    }

    /// They are asked for in their order; who is added while some are asked for comes after them.
    func askAgain(_ members: [Followers.Member]) { released += members }

    func takeReleased() -> [Followers.Member] {
        if released.isEmpty { return [] }
        let taken = released
        released.removeAll(keepingCapacity: true)
        return taken
    }
}
