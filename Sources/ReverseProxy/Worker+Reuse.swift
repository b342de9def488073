internal import Backends
internal import Exchanges
internal import Reactor

/// Which kept connections to a process are used again, and which are closed instead.
///
/// A process may close one at any time, and some send bytes that belong to no request. Neither is to
/// reach the next client.
extension Worker {
    /// A request that must not be repeated goes over a kept connection only if that was used this
    /// recently: the process may have closed it, and the notice may be on its way.
    private static let trustedIdle: Int64 = 1_000_000_000
    /// How long a connection is to be silent after a response without a body: what comes meanwhile is the
    /// body that it must not have had.
    private static let silence: Int64 = 250_000_000

    /// A connection from the pool of the process that is fit for the exchange; nil: there is none.
    func reusable(_ process: ProcessHandle, group: Int, for exchange: Int) -> Int? {
        let isReplayable = exchanges[exchange].machine.isReplayable
        while let place = pools.take(process, group: group, from: upstreams) {
            let idle = now &- upstreams[place].idleSince
            let isTooOld = !isReplayable && idle >= trust(in: process, group: group)
            if !isTooOld, upstreams[place].silentUntil <= now,
                isReplayable || upstreams[place].transport?.socket.isSilent == true
            {
                return place
            }
            closeUpstream(place)
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

    /// Puts a connection into the pool of its process after an exchange, or closes it.
    func pool(_ place: Int, after exchange: Int) {
        let process = upstreams[place].process
        let group = Int(upstreams[place].group)
        let announced = Int64(exchanges[exchange].upstreamKeptFor) &* 1_000_000_000
        upstreams[place].silentUntil = exchanges[exchange].awaitsSilence ? now &+ Self.silence : 0
        pools.noteAnnounced(announced, by: process, group: group)
        guard pools.put(place, in: upstreams),
            let habits = pools.habits(of: process, group: group)
        else { return closeUpstream(place) }
        // Before the process would close it.
        var patience = min(settings.timeouts.keepalive.nanoseconds, habits.shortestIdle / 4 * 3)
        if announced > 0 { patience = min(patience, announced / 4 * 3) }
        setUpstreamDeadline(place, after: Interval(nanoseconds: patience))
    }

    /// Looks, before anything else of the turn, at the idle connections that have had an event: the turn's
    /// requests are not to be sent on them.
    func dropEnded(_ token: UInt64, _ readiness: Readiness) {
        let token = EventToken(rawValue: token)
        guard token.kind == .upstream, upstreams.holds(token.place, serial: token.serial),
            upstreams[token.place].phase == .idle
        else { return }
        upstreamEvent(token.place, readiness)
    }

    /// An idle connection has had an event: its process closed it, or spoke out of turn.
    func idleEnded(_ place: Int) {
        let process = upstreams[place].process
        let group = Int(upstreams[place].group)
        if spokeOutOfTurn(place) {
            distrust(process, group: group)
        } else {
            pools.noteEnd(afterIdle: now &- upstreams[place].idleSince, of: process, group: group)
        }
        closeUpstream(place)
    }

    /// Its connections are not kept any more: what it sends after a response could reach another client.
    func distrust(_ process: ProcessHandle, group: Int) {
        guard pools.distrust(process, group: group) else { return }
        let label = groups[group].identity(of: process)?.label ?? ""
        shared.mishaps.note(
            .strayBytes, now: now,
            "process \(label) of group \(groups[group].name) sends bytes that belong to no request;"
                + " its connections are not used again")
    }

    /// Bytes wait on an idle connection that are more than the notice of its end (RFC 9110 section 15.5.9).
    ///
    /// What TLS says between two requests is its own affair.
    private func spokeOutOfTurn(_ place: Int) -> Bool {
        guard case .clear(let socket) = upstreams[place].transport else { return false }
        buffers.equip(&upstreams[place].input)
        guard case .moved(let count) = socket.peek(into: &upstreams[place].input)
        else { return false }
        let readable = unsafe upstreams[place].input.readable
        let notice: StaticString = "HTTP/1.1 408"
        guard count >= notice.utf8CodeUnitCount else { return true }
        for offset in 0..<notice.utf8CodeUnitCount
        where unsafe readable[offset] != notice.utf8Start[offset] && offset != 7 {
            return true
        }
        return false
    }
}
