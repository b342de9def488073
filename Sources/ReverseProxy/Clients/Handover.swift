internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// Connections whose next request has not been given to a process go over to the balancer that takes
/// over.
///
/// So no client meets a connection that is closed just as it sends, and who waits is placed by whoever
/// knows the processes, and can start some. Belongs to the loop's thread.
final class Handover {
    /// How long a connection that cannot be moved may still bring a request.
    static let lastRequest = Interval.seconds(1)

    private let downstreams: Downstreams
    private let upstreams: Upstreams
    private let exchanges: ExchangeTable
    private let counters: LoopCounters
    private let plan: Plan
    private let drain: DrainState
    private let slots: Slots

    init(_ owners: Owners, slots: Slots) {
        downstreams = owners.downstreams
        upstreams = owners.upstreams
        exchanges = owners.exchanges
        counters = owners.counters
        plan = owners.plan
        drain = owners.drain
        self.slots = slots
    }

    /// Whether it goes over when its exchange has ended; others are told `Connection: close`.
    func isMovable(_ entry: Int) -> Bool {
        guard drain.successor != nil else { return false }
        return switch downstreams[entry].carrier {
        case .connection(.clear): true
        case .connection(.secure), .stream: false
        }
    }

    /// Gives a connection to the successor if it is before a request; false: it stays.
    func moveOn(_ entry: Int) -> Bool {
        switch downstreams[entry].phase {
        case .greeting: return hand(entry, .untouched, unread: [])
        case .idle, .receivingHead:
            let unread = unsafe Array(downstreams[entry].input.readable)
            return hand(entry, downstreams[entry].isFresh ? .fresh : .kept, unread: unread)
        case .exchange: return moveWaiting(entry)
        case .handshaking, .multiplexed, .lingering: return false
        }
    }

    /// A request that waits for a slot begins anew with the successor.
    private func moveWaiting(_ entry: Int) -> Bool {
        let exchange = Int(downstreams[entry].exchange)
        guard exchanges[exchange].requestPhase == .queued,
            !exchanges[exchange].machine.traits.hasBody,
            isMovable(entry), !downstreams[entry].peerClosed,
            plan.listener(downstreams[entry].listener) != nil,
            upstreams.firstOwn(of: entry) == nil
        else { return false }
        // The head is still at the front.
        let unread = unsafe Array(downstreams[entry].input.whole)
        guard unread.count <= MovedConnection.longestUnread else { return false }
        slots.leaveQueue(exchange)
        exchanges.remove(exchange)
        downstreams[entry].exchange = -1
        counters.subtract(.requestsActive)
        return hand(entry, .kept, unread: unread)
    }

    private func hand(_ entry: Int, _ stage: MovedConnection.Stage, unread: [UInt8]) -> Bool {
        guard let successor = drain.successor, isMovable(entry), !downstreams[entry].peerClosed,
            // Its client has signed in on a connection that cannot go along.
            upstreams.firstOwn(of: entry) == nil,
            unread.count <= MovedConnection.longestUnread,
            let listener = plan.listener(downstreams[entry].listener)
        else { return false }
        let moved = MovedConnection(
            socket: downstreams[entry].carrier.transport.socket, listener: listener.address,
            stage: stage,
            isSecure: downstreams[entry].isSecure, unread: unread,
            address: downstreams[entry].address)
        downstreams.unwatch(moved.socket)
        downstreams.release(entry)
        // Before it is counted out: the last one may end the program.
        successor(moved)
        downstreams.countOut()
        return true
    }
}
