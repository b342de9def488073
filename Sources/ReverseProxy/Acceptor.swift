internal import Reactor
internal import Synchronization

/// The listening sockets, and the connections that wait on them.
///
/// The first loop accepts all connections and assigns each to the loop with the fewest. Compared
/// with SO_REUSEPORT, this distributes evenly even with few connections, for the cost of one
/// wake-up per connection and nothing per request. Belongs to that loop's thread; the other loops
/// have one without sockets.
final class Acceptor {
    /// How many connections one turn accepts before other events are handled.
    private static let acceptsPerTurn = 64
    /// How long accepting pauses when no entry or descriptor is free.
    private static let pause: Int64 = 100_000_000

    private let loop: EventLoop
    private let shared: SharedState
    /// By their index in the settings; nil: no longer listened on.
    private var sockets: [ListeningSocket?] = []
    /// Sockets with connections left over from a turn.
    private var pending: [Int] = []
    /// Sockets that could not be added to epoll, for lack of memory.
    private var unwatched: [Int] = []
    /// When to accept again after a pause; monotonic ns, `Int64.max`: there is none.
    private(set) var retryAt = Int64.max

    init(loop: EventLoop, shared: SharedState) {
        self.loop = loop
        self.shared = shared
    }

    /// Connections wait, so the next turn must start at once.
    var isBusy: Bool { !pending.isEmpty }

    /// Takes sockets that are bound already; accepts nothing before `watchAll`.
    func adopt(_ sockets: [ListeningSocket?]) { self.sockets = sockets }

    func watchAll() {
        for (index, socket) in sockets.enumerated() {
            if let socket { watch(socket, index) }
        }
    }

    private func watch(_ socket: ListeningSocket, _ index: Int) {
        let token = EventToken(.listener, entry: index, serial: 0)
        do {
            try loop.add(socket.descriptor, token: token.rawValue)
        } catch {
            // For a fresh descriptor on a working epoll, lack of memory is the only possible
            // reason.
            shared.logThrottle.note(
                .accepting, now: loop.now,
                "new connections wait, for their listening socket cannot be watched: \(error);"
                    + " \(SystemError.remedy(error.errno))")
            unwatched.append(index)
            retryAt = loop.now + Self.pause
        }
    }

    /// A socket has had an event.
    func noteReady(_ index: Int) { pending.append(index) }

    /// Resumes accepting after the connection limit or a lack of descriptors paused it.
    func resume() {
        retryAt = Int64.max
        let again = unwatched
        unwatched = []
        for index in again where index < sockets.count {
            if let socket = sockets[index] { watch(socket, index) }
        }
        pending = Array(sockets.indices)
    }

    /// Accepts waiting connections, up to a number per turn.
    ///
    /// - Parameters:
    ///   - limit: the most open connections over all loops.
    ///   - take: receives each connection with its listener's index, and counts it.
    func acceptPending(limit: Int, _ take: (StreamSocket, SocketAddress, Int) -> Void) {
        if pending.isEmpty { return }
        let indices = pending
        pending.removeAll(keepingCapacity: true)
        for index in indices where index < sockets.count {
            guard let socket = sockets[index] else { continue }
            if !accept(from: socket, index, limit: limit, take) { pending.append(index) }
        }
    }

    /// Accepts from one socket; false: more is left for the next turn.
    private func accept(
        from socket: ListeningSocket, _ index: Int, limit: Int,
        _ take: (StreamSocket, SocketAddress, Int) -> Void
    ) -> Bool {
        for _ in 0..<Self.acceptsPerTurn {
            if shared.connections.load(ordering: .relaxed) >= limit {
                shared.acceptingPaused.store(true, ordering: .releasing)
                shared.logThrottle.note(
                    .connectionLimit, now: loop.now,
                    "\(limit) connections are open, the most that limits.connections allows; new"
                        + " ones wait")
                // A connection may have closed before the flag was set, so check again soon.
                retryAt = loop.now + Self.pause
                return true
            }
            switch socket.accept() {
            case .connection(let connection, let address): take(connection, address, index)
            case .skipped: continue
            case .wouldBlock: return true
            case .exhausted(let code):
                shared.logThrottle.note(
                    .accepting, now: loop.now,
                    "new connections wait, for they cannot be accepted:"
                        + " \(SystemError.message(code)); \(SystemError.remedy(code))")
                retryAt = loop.now + Self.pause
                return true
            }
        }
        return false
    }

    /// Replaces the sockets after a reload; removed ones are closed.
    ///
    /// - Parameter isDraining: no socket accepts any more, so none is watched.
    func replace(with wanted: [ListeningSocket?], isDraining: Bool) {
        for (index, socket) in wanted.enumerated() {
            let present = index < sockets.count ? sockets[index] : nil
            if index == sockets.count { sockets.append(nil) }
            if let present, socket == nil {
                loop.remove(present.descriptor)
                present.close()
            } else if let socket, present == nil, !isDraining {
                watch(socket, index)
            }
            if !isDraining { sockets[index] = socket }
        }
    }

    /// Stops listening for good.
    ///
    /// - Parameter leavesThem: a successor listens on the same sockets, whose files stay.
    func end(leavesThem: Bool) {
        for case let socket? in sockets {
            loop.remove(socket.descriptor)
            leavesThem ? socket.leave() : socket.close()
        }
        sockets = []
        pending = []
        retryAt = Int64.max
    }
}
