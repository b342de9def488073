/// Work that a loop has deferred, to a later part of the turn or to the next one.
///
/// Deferring keeps duties from recursing into each other, and busy connections from starving
/// others.
final class Agenda {
    /// Connections that had more to move than one turn allows.
    private var postponed: [EventToken] = []
    /// Connections whose TLS handshake can continue.
    private var handshakes: [EventToken] = []
    /// Clients that may have pipelined a request, to be served when the stack is empty.
    private var readAgain: [Int] = []
    /// HTTP/2 connections with something to send.
    private var unsent: [Int] = []
    /// Exchanges that waited for another to begin their session and must ask for a slot now.
    private var released: [CoalescedRequests.Member] = []

    // Checked in every turn, usually without result.
    @inline(__always) var hasPostponed: Bool { !postponed.isEmpty }
    @inline(__always) var hasHandshakes: Bool { !handshakes.isEmpty }
    @inline(__always) var hasReleased: Bool { !released.isEmpty }
    @inline(__always) var hasUnsent: Bool { !unsent.isEmpty }

    /// Whether the next turn must start at once.
    @inline(__always)
    var isBusy: Bool { hasPostponed || hasHandshakes || hasUnsent || hasReleased }

    /// Continues with a connection after the others had their turn.
    func postpone(_ token: EventToken) { postponed.append(token) }

    func takePostponed() -> [EventToken] {
        if postponed.isEmpty { return [] }
        let taken = postponed
        postponed.removeAll(keepingCapacity: true)
        return taken
    }

    func continueHandshake(_ token: EventToken) { handshakes.append(token) }

    /// Takes the oldest ones, up to the limit.
    func takeHandshakes(atMost limit: Int) -> [EventToken] {
        if handshakes.isEmpty { return [] }
        let count = min(handshakes.count, limit)
        let taken = Array(handshakes.prefix(count))
        handshakes.removeFirst(count)
        return taken
    }

    func readAgain(_ client: Int) { readAgain.append(client) }

    /// Takes the one added last; nil: none is left.
    func takeReadAgain() -> Int? { readAgain.popLast() }

    /// A client is added once until it is taken: see `Downstream.isUnsent`.
    func send(_ client: Int) { unsent.append(client) }

    func takeUnsent() -> [Int] {
        if unsent.isEmpty { return [] }
        let taken = unsent
        unsent.removeAll(keepingCapacity: true)
        return taken
    }

    /// They are served in order; ones added meanwhile come after them.
    func askAgain(_ members: [CoalescedRequests.Member]) { released += members }

    func takeReleased() -> [CoalescedRequests.Member] {
        if released.isEmpty { return [] }
        let taken = released
        released.removeAll(keepingCapacity: true)
        return taken
    }
}
