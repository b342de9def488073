/// Work that a loop has deferred, to a later part of the turn or to the next one.
///
/// Deferring keeps duties from recursing into each other, and busy connections from starving
/// others.
final class Agenda {
    /// Connections that had more to move than one turn allows.
    private var postponed = Batches<EventToken>()
    /// Connections whose TLS handshake can continue.
    private var handshakes: [EventToken] = []
    /// Clients that may have pipelined a request, to be served when the stack is empty.
    private var readAgain: [Int] = []
    /// HTTP/2 connections with something to send.
    private var unsent = Batches<Int>()
    /// Exchanges that waited for another to begin their session and must ask for a slot now.
    private var released = Batches<CoalescedRequests.Member>()

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

    func takePostponed() -> [EventToken] { postponed.take() }

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

    func takeUnsent() -> [Int] { unsent.take() }

    /// They are served in order; ones added meanwhile come after them.
    func askAgain(_ members: [CoalescedRequests.Member]) {
        for member in members { released.append(member) }
    }

    func takeReleased() -> [CoalescedRequests.Member] { released.take() }
}

/// Elements that are taken all at once, while others may be added.
///
/// Two arrays take turns, so that neither allocates in each turn of the loop.
private struct Batches<Element> {
    private var next: [Element] = []
    private var taken: [Element] = []

    @inline(__always) var isEmpty: Bool { next.isEmpty }

    mutating func append(_ element: Element) { next.append(element) }

    mutating func take() -> [Element] {
        taken.removeAll(keepingCapacity: true)
        swap(&next, &taken)
        return taken
    }
}
