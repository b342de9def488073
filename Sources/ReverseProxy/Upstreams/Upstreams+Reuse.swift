internal import Backends
internal import Reactor
internal import Settings

/// Which kept connections to a process are used again, and which are closed instead.
///
/// A process may close one at any time, and some send bytes that belong to no request. Neither is to
/// reach the next client.
extension Upstreams {
    /// A request that must not be repeated goes over a kept connection only if that was used this
    /// recently: the process may have closed it, and the notice may be on its way.
    private static let trustedIdle: Int64 = 1_000_000_000
    /// How long a connection is to be silent after a response without a body: what comes meanwhile is the
    /// body that it must not have had.
    private static let silence: Int64 = 250_000_000

    /// Takes a connection that stands already: the client's own, where it has one, or one of the pool.
    ///
    /// - Parameters:
    ///   - client: whose request it is.
    ///   - isReplayable: the request may be repeated.
    func takeKept(
        to process: ProcessHandle, group: Int, for exchange: Int, of client: Int,
        isReplayable: Bool
    ) -> Int? {
        guard
            let place = takeOwn(of: client, process, group)
                ?? takeIdle(process, group, isReplayable: isReplayable)
        else { return nil }
        self[place].move(to: .busy)
        self[place].exchange = Int32(truncatingIfNeeded: exchange)
        self[place].sentAny = false
        self[place].reused = true
        return place
    }

    /// A connection from the pool of the process that is fit for the request; nil: there is none.
    private func takeIdle(_ process: ProcessHandle, _ group: Int, isReplayable: Bool) -> Int? {
        while let place = pools.take(process, group: group, from: slab) {
            let idle = now &- self[place].idleSince
            let isTooOld = !isReplayable && idle >= trust(in: process, group: group)
            if !isTooOld, self[place].silentUntil <= now,
                isReplayable || self[place].transport?.socket.isSilent == true
            {
                return place
            }
            close(place)
            // The others are older; they are good for requests that can be repeated.
            if isTooOld { return nil }
        }
        return nil
    }

    /// How long a connection may have been idle for a request that cannot be repeated; monotonic ns.
    private func trust(in process: ProcessHandle, group: Int) -> Int64 {
        guard let habits = pools.habits(of: process, group: group) else { return 0 }
        let announced = habits.announced > 0 ? habits.announced / 4 * 3 : Self.trustedIdle
        return min(announced, habits.shortestIdle / 4 * 3)
    }

    /// Puts a connection into the pool of its process after a response, or closes it.
    ///
    /// - Parameters:
    ///   - seconds: how long the process keeps it, as it says; 0: it does not.
    ///   - awaitsSilence: the response had no body.
    func pool(_ place: Int, keptFor seconds: UInt32, awaitsSilence: Bool) {
        let process = self[place].process
        let group = Int(self[place].group)
        let announced = Int64(seconds) &* 1_000_000_000
        rest(place)
        self[place].silentUntil = awaitsSilence ? now &+ Self.silence : 0
        pools.noteAnnounced(announced, by: process, group: group)
        guard pools.put(place, in: slab), let habits = pools.habits(of: process, group: group)
        else { return close(place) }
        // Before the process would close it.
        var patience = min(
            plan.settings.timeouts.keepalive.nanoseconds, habits.shortestIdle / 4 * 3)
        if announced > 0 { patience = min(patience, announced / 4 * 3) }
        setDeadline(place, after: Interval(nanoseconds: patience))
    }

    /// Between two requests a connection belongs to no exchange and holds no memory.
    func rest(_ place: Int) {
        buffers.release(&self[place].input)
        buffers.release(&self[place].output)
        self[place].move(to: .idle)
        self[place].exchange = -1
        self[place].idleSince = now
        self[place].headScan = 0
        self[place].deadline = Int64.max
    }

    /// An idle connection has had an event: its process closed it, or spoke out of turn.
    func idleEnded(_ place: Int) {
        let process = self[place].process
        let group = Int(self[place].group)
        if spokeOutOfTurn(place) {
            distrust(process, group: group)
        } else {
            pools.noteEnd(afterIdle: now &- self[place].idleSince, of: process, group: group)
        }
        close(place)
    }

    /// Its connections are not kept any more: what it sends after a response could reach another client.
    func distrust(_ process: ProcessHandle, group: Int) {
        guard pools.distrust(process, group: group) else { return }
        let label = plan.groups[group].identity(of: process)?.label ?? ""
        shared.mishaps.note(
            .strayBytes, now: now,
            "process \(label) of group \(plan.groups[group].name) sends bytes that belong to no request;"
                + " its connections are not used again")
    }

    /// Bytes wait on an idle connection that are more than the notice of its end (RFC 9110 section 15.5.9).
    ///
    /// What TLS says between two requests is its own affair.
    private func spokeOutOfTurn(_ place: Int) -> Bool {
        guard case .clear(let socket) = self[place].transport else { return false }
        buffers.equip(&self[place].input)
        guard case .moved(let count) = socket.peek(into: &self[place].input) else { return false }
        let readable = unsafe self[place].input.readable
        let notice: StaticString = "HTTP/1.1 408"
        guard count >= notice.utf8CodeUnitCount else { return true }
        for offset in 0..<notice.utf8CodeUnitCount
        where unsafe readable[offset] != notice.utf8Start[offset] && offset != 7 {
            return true
        }
        return false
    }
}
