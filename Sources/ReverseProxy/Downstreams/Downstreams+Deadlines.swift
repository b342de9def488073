internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// Deadlines of clients: each connection has one, depending on what it waits for.
extension Downstreams {
    func setDeadline(_ entry: Int, after span: Interval) {
        let deadline = now &+ span.nanoseconds
        self[entry].deadline = deadline
        deadlines.schedule(client: entry, at: deadline)
    }

    /// For a client that does not read; in a tunnel its own timeout covers both directions.
    func setWritingDeadline(_ entry: Int) {
        guard self[entry].timesWrites else { return }
        self[entry].unsent = -1
        self[entry].stalls = 0
        setDeadline(entry, after: plan.settings.timeouts.bodyIdle)
    }

    /// Whether a client that was written to is reading, judged by the kernel's send queue.
    ///
    /// The kernel reports writability only when a good part of the socket's buffer is free, which
    /// can take minutes with a slow reader; and a TCP window opens in bursts, so one check without
    /// progress is forgiven.
    func isTaking(_ entry: Int) -> Bool {
        guard case .connection(let transport) = self[entry].carrier,
            let unsent = transport.socket.unsent
        else { return false }
        let before = self[entry].unsent
        self[entry].unsent = unsent
        let seconds = Int(plan.settings.timeouts.bodyIdle.nanoseconds / 1_000_000_000)
        if before < 0 || before - unsent >= max(1, plan.settings.limits.minRate * seconds) {
            self[entry].stalls = 0
            return true
        }
        self[entry].stalls += 1
        return self[entry].stalls < 2
    }

    /// No deadline: the connection waits for its process, which has its own.
    func clearDeadline(_ entry: Int) { self[entry].deadline = Int64.max }

    /// A head has begun: it has a deadline, and must not trickle.
    func beginHead(_ entry: Int) {
        self[entry].headScan = 0
        setDeadline(entry, after: plan.settings.timeouts.header)
        self[entry].headDeadline = self[entry].deadline
        self[entry].floor.stop()
        self[entry].floor.startIfStopped(
            now: now, grace: headGrace, bytesPerSecond: plan.settings.limits.minRate)
        limitHead(entry)
    }

    /// More of a head has arrived.
    func noteHead(_ entry: Int, _ count: Int) {
        self[entry].floor.received(
            count, now: now, grace: headGrace, bytesPerSecond: plan.settings.limits.minRate)
        limitHead(entry)
    }

    /// How long a head may take before its rate counts.
    private var headGrace: Int64 { min(plan.settings.timeouts.header.nanoseconds, 10_000_000_000) }

    private func limitHead(_ entry: Int) {
        let deadline = min(self[entry].headDeadline, self[entry].floor.deadline)
        self[entry].deadline = deadline
        deadlines.schedule(client: entry, at: deadline)
    }

    /// Bytes of a body have arrived.
    func noteProgress(_ entry: Int, _ count: Int) {
        self[entry].floor.received(
            count, now: now, grace: plan.settings.timeouts.bodyIdle.nanoseconds,
            bytesPerSecond: plan.settings.limits.minRate)
    }

    /// For the next piece of a body: it must arrive, and must not trickle.
    func setBodyDeadline(_ entry: Int) {
        let grace = plan.settings.timeouts.bodyIdle.nanoseconds
        self[entry].floor.startIfStopped(
            now: now, grace: grace, bytesPerSecond: plan.settings.limits.minRate)
        self[entry].deadline = min(now &+ grace, self[entry].floor.deadline)
        deadlines.schedule(client: entry, at: self[entry].deadline)
    }
}

/// HTTP/2: deadlines of connections.
extension Downstreams {
    /// How long a client may take to answer the shutdown notice.
    private static let noticePatience = Interval.seconds(1)

    func setMultiplexerDeadline(
        _ entry: Int, _ multiplexer: Multiplexer, after span: Interval
    ) {
        multiplexer.deadline = now &+ span.nanoseconds
        applyDeadline(entry, multiplexer)
    }

    /// For a connection without streams.
    ///
    /// On shutdown its client gets a moment to answer the notice; the shutdown does not wait
    /// longer.
    func setIdleDeadline(_ entry: Int, _ multiplexer: Multiplexer) {
        let patience = drain.isDraining ? Self.noticePatience : plan.settings.timeouts.keepalive
        setMultiplexerDeadline(
            entry, multiplexer, after: min(patience, plan.settings.timeouts.keepalive))
    }

    /// A head that has begun, or the preface, has a deadline, regardless of other traffic.
    func limitFrameHead(_ entry: Int, _ multiplexer: Multiplexer) {
        let open = multiplexer.connection.openHead
        if open == multiplexer.openHead { return }
        multiplexer.openHead = open
        let deadline = now &+ plan.settings.timeouts.header.nanoseconds
        self[entry].headDeadline = open == nil ? .max : deadline
        applyDeadline(entry, multiplexer)
    }

    private func applyDeadline(_ entry: Int, _ multiplexer: Multiplexer) {
        let deadline = min(multiplexer.deadline, self[entry].headDeadline)
        self[entry].deadline = deadline
        if deadline != .max { deadlines.schedule(client: entry, at: deadline) }
    }
}
