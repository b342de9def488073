internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// Keeps connections to processes between requests for reuse.
///
/// A process may close one at any time, and some send bytes that belong to no request. Neither must
/// affect the next client. Belongs to the loop's thread.
final class KeptConnections {
    /// A request that must not be repeated uses a kept connection only if that was used this
    /// recently: the process may have closed it, with the FIN still in transit.
    private static let trustedIdle: Int64 = 1_000_000_000
    /// How long a connection must be silent after a response without a body: bytes that arrive
    /// meanwhile are a body that the process must not have sent.
    private static let silence: Int64 = 250_000_000

    private let upstreams: Upstreams
    private let buffers: Buffers
    private let plan: Plan
    private let shared: SharedState

    init(_ owners: Owners) {
        upstreams = owners.upstreams
        buffers = owners.buffers
        plan = owners.plan
        shared = owners.shared
    }

    /// Takes an established connection: the client's own, if it has one, or one from the pool.
    ///
    /// - Parameters:
    ///   - client: the client of the request.
    ///   - isReplayable: whether the request may be repeated.
    func take(
        to process: ProcessHandle, group: Int, for exchange: Int, of client: Int,
        isReplayable: Bool
    ) -> Int? {
        guard
            let entry = takeOwn(of: client, process, group)
                ?? takeIdle(process, group, isReplayable: isReplayable)
        else { return nil }
        if upstreams[entry].codec.keepsWorkerBusy { upstreams.noteKept(-1) }
        upstreams[entry].move(to: .busy)
        upstreams[entry].exchange = Int32(truncatingIfNeeded: exchange)
        upstreams[entry].sentAny = false
        upstreams[entry].reused = true
        return entry
    }

    /// A connection from the process's pool that is suitable for the request; nil: there is none.
    private func takeIdle(_ process: ProcessHandle, _ group: Int, isReplayable: Bool) -> Int? {
        while let entry = upstreams.pools.take(process, group: group, from: upstreams.slab) {
            let idle = upstreams.now &- upstreams[entry].idleSince
            let isTooOld = !isReplayable && idle >= trust(in: process, group: group)
            if !isTooOld, upstreams[entry].silentUntil <= upstreams.now,
                isReplayable || upstreams[entry].transport?.socket.isSilent == true
            {
                return entry
            }
            upstreams.close(entry)
            // The others are older; they suit requests that can be repeated.
            if isTooOld { return nil }
        }
        return nil
    }

    /// How long a connection may have been idle for a request that cannot be repeated; monotonic
    /// ns.
    private func trust(in process: ProcessHandle, group: Int) -> Int64 {
        guard let habits = upstreams.pools.habits(of: process, group: group) else { return 0 }
        let announced = habits.announced > 0 ? habits.announced / 4 * 3 : Self.trustedIdle
        return min(announced, habits.shortestIdle / 4 * 3)
    }

    /// Puts a connection into the pool of its process after a response, or closes it.
    ///
    /// - Parameters:
    ///   - seconds: how long the process keeps it (`Keep-Alive`); 0: not stated.
    ///   - awaitsSilence: whether the response had no body.
    func pool(_ entry: Int, keptFor seconds: UInt32, awaitsSilence: Bool) {
        let process = upstreams[entry].process
        let group = Int(upstreams[entry].group)
        let announced = Int64(seconds) &* 1_000_000_000
        rest(entry)
        upstreams[entry].silentUntil = awaitsSilence ? upstreams.now &+ Self.silence : 0
        upstreams.pools.noteAnnounced(announced, by: process, group: group)
        guard upstreams.pools.put(entry, in: upstreams.slab),
            let habits = upstreams.pools.habits(of: process, group: group)
        else { return upstreams.close(entry) }
        // Before the process closes it.
        var patience = min(
            plan.settings.timeouts.keepalive.nanoseconds, habits.shortestIdle / 4 * 3)
        if announced > 0 { patience = min(patience, announced / 4 * 3) }
        upstreams.setDeadline(entry, after: Interval(nanoseconds: patience))
    }

    /// Between two requests a connection belongs to no exchange and holds no memory.
    private func rest(_ entry: Int) {
        buffers.release(&upstreams[entry].input)
        buffers.release(&upstreams[entry].output)
        upstreams[entry].move(to: .idle)
        upstreams[entry].exchange = -1
        upstreams[entry].idleSince = upstreams.now
        upstreams[entry].headScan = 0
        upstreams[entry].deadline = Int64.max
        if upstreams[entry].codec.hasRecords {
            upstreams[entry].records = FastCGIDecoder()
            upstreams[entry].inputIsEnded = false
        }
        if upstreams[entry].codec.keepsWorkerBusy { upstreams.noteKept(1) }
    }

    /// An idle connection has had an event: its process closed it, or sent bytes unasked.
    func idleEnded(_ entry: Int) {
        let process = upstreams[entry].process
        let group = Int(upstreams[entry].group)
        if hasUnexpectedInput(entry) {
            distrust(process, group: group)
        } else {
            upstreams.pools.noteEnd(
                afterIdle: upstreams.now &- upstreams[entry].idleSince, of: process, group: group)
        }
        upstreams.close(entry)
    }

    /// Stops keeping a process's connections: bytes that it sends after a response could reach
    /// another client.
    func distrust(_ process: ProcessHandle, group: Int) {
        guard upstreams.pools.distrust(process, group: group) else { return }
        let label = plan.groups[group].identity(of: process)?.label ?? ""
        shared.logThrottle.note(
            .strayBytes, now: upstreams.now,
            "process \(label) of group \(plan.groups[group].name) sends bytes that belong to no request;"
                + " its connections are not used again")
    }

    /// Whether an idle connection has pending bytes other than a notice of its end (RFC 9110
    /// section 15.5.9).
    ///
    /// TLS records between two requests are normal.
    private func hasUnexpectedInput(_ entry: Int) -> Bool {
        guard case .clear(let socket) = upstreams[entry].transport else { return false }
        buffers.equip(&upstreams[entry].input)
        guard case .moved(let count) = socket.peek(into: &upstreams[entry].input) else {
            return false
        }
        let bytes = unsafe upstreams[entry].input.bytes
        let notice: StaticString = "HTTP/1.1 408"
        guard count >= notice.utf8CodeUnitCount else { return true }
        for offset in 0..<notice.utf8CodeUnitCount
        where unsafe bytes[offset] != notice.utf8Start[offset] && offset != 7 {
            return true
        }
        return false
    }

    // MARK: One client's own

    // With NTLM, and Negotiate when it means NTLM, a process authenticates the connection: every
    // request on it is attributed to that user. So it is kept for the client that authenticated,
    // for as long as both exist, and no other client gets it.

    /// Takes out the client's own connection to a process; nil: there is none.
    private func takeOwn(of client: Int, _ process: ProcessHandle, _ group: Int) -> Int? {
        var next = upstreams.firstOwn(of: client)
        while let entry = next {
            if Int(upstreams[entry].group) == group,
                upstreams[entry].process.serial == process.serial,
                upstreams[entry].process.index == process.index
            {
                guard upstreams[entry].transport?.socket.isSilent == true else {
                    upstreams.close(entry)
                    return nil
                }
                upstreams.unlinkOwn(entry)
                return entry
            }
            next = upstreams.nextOwn(after: entry)
        }
        return nil
    }

    /// Keeps a connection for a client after a response.
    ///
    /// - Parameter grant: of the request that was served.
    func keep(_ entry: Int, for client: Int, _ grant: Grant?) {
        rest(entry)
        upstreams[entry].grant = grant
        upstreams.linkOwn(entry, of: client)
    }

    /// The client has gone: closes its own connections.
    func closeOwn(of client: Int) {
        while let entry = upstreams.firstOwn(of: client) { upstreams.close(entry) }
    }
}
