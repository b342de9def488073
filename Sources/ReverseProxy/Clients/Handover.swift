internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// Passes connections whose next request has not reached a process to the balancer that takes over.
///
/// So no client's request hits a closing connection, and waiting requests are placed by the
/// balancer that knows the processes and can start some. Belongs to the loop's thread.
final class Handover {
    /// How long a kept connection that cannot be moved may still send a request.
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

    /// Whether the connection moves when its exchange has ended; others get `Connection: close`.
    func isMovable(_ entry: Int) -> Bool {
        guard drain.successor != nil else { return false }
        return switch downstreams[entry].carrier {
        case .connection(.clear): true
        case .connection(.secure), .stream: false
        }
    }

    /// Passes a connection to the successor if it is between requests; false: it stays.
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

    /// A request that waits for a slot starts again at the successor.
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
            // Its client has authenticated on an upstream connection that cannot move.
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
        // Before it is counted out, because the last connection may end the program.
        successor(moved)
        downstreams.countOut()
        return true
    }
}
