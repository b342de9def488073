internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// Deadlines of clients: each connection has one, by what it waits for at the time.
extension Downstreams {
    func setDeadline(_ place: Int, after span: Interval) {
        let deadline = now &+ span.nanoseconds
        self[place].deadline = deadline
        deadlines.schedule(client: place, at: deadline)
    }

    /// For a client that does not read; in a tunnel its own timeout covers both ways.
    func setWritingDeadline(_ place: Int) {
        guard self[place].timesWrites else { return }
        self[place].unsent = -1
        self[place].stalls = 0
        setDeadline(place, after: plan.settings.timeouts.bodyIdle)
    }

    /// Whether a client that was written to takes bytes, as seen by what the kernel holds for it.
    ///
    /// Room for more is told only when a good part of the socket's buffer is free, which takes a
    /// slow reader minutes; and a TCP window opens in bursts, so one look in vain is forgiven.
    func isTaking(_ place: Int) -> Bool {
        guard case .connection(let transport) = self[place].carrier,
            let unsent = transport.socket.unsent
        else { return false }
        let before = self[place].unsent
        self[place].unsent = unsent
        let seconds = Int(plan.settings.timeouts.bodyIdle.nanoseconds / 1_000_000_000)
        if before < 0 || before - unsent >= max(1, plan.settings.limits.minRate * seconds) {
            self[place].stalls = 0
            return true
        }
        self[place].stalls += 1
        return self[place].stalls < 2
    }

    /// No deadline: the connection waits for its process, which has one of its own.
    func clearDeadline(_ place: Int) { self[place].deadline = Int64.max }

    /// A head has begun: it has its time, and must not trickle.
    func beginHead(_ place: Int) {
        self[place].headScan = 0
        setDeadline(place, after: plan.settings.timeouts.header)
        self[place].headDeadline = self[place].deadline
        self[place].floor.stop()
        self[place].floor.startIfStopped(
            now: now, grace: headGrace, bytesPerSecond: plan.settings.limits.minRate)
        limitHead(place)
    }

    /// More of a head has come.
    func noteHead(_ place: Int, _ count: Int) {
        self[place].floor.received(
            count, now: now, grace: headGrace, bytesPerSecond: plan.settings.limits.minRate)
        limitHead(place)
    }

    /// How long a head may take before its rate counts.
    private var headGrace: Int64 { min(plan.settings.timeouts.header.nanoseconds, 10_000_000_000) }

    private func limitHead(_ place: Int) {
        let deadline = min(self[place].headDeadline, self[place].floor.deadline)
        self[place].deadline = deadline
        deadlines.schedule(client: place, at: deadline)
    }

    /// Bytes of a body have come.
    func noteProgress(_ place: Int, _ count: Int) {
        self[place].floor.received(
            count, now: now, grace: plan.settings.timeouts.bodyIdle.nanoseconds,
            bytesPerSecond: plan.settings.limits.minRate)
    }

    /// For the next piece of a body: it must come, and must not trickle.
    func setBodyDeadline(_ place: Int) {
        let grace = plan.settings.timeouts.bodyIdle.nanoseconds
        self[place].floor.startIfStopped(
            now: now, grace: grace, bytesPerSecond: plan.settings.limits.minRate)
        self[place].deadline = min(now &+ grace, self[place].floor.deadline)
        deadlines.schedule(client: place, at: self[place].deadline)
    }
}

/// HTTP/2: how long a connection waits for its client.
extension Downstreams {
    /// How long a client has to answer the notice of the end.
    private static let noticePatience = Interval.seconds(1)

    func setMultiplexerDeadline(
        _ place: Int, _ multiplexer: Multiplexer, after span: Interval
    ) {
        multiplexer.deadline = now &+ span.nanoseconds
        applyDeadline(place, multiplexer)
    }

    /// For a connection without streams.
    ///
    /// At the end of the program its client has a moment to answer the notice; one that does not is not
    /// waited for.
    func setIdleDeadline(_ place: Int, _ multiplexer: Multiplexer) {
        let patience = drain.isDraining ? Self.noticePatience : plan.settings.timeouts.keepalive
        setMultiplexerDeadline(
            place, multiplexer, after: min(patience, plan.settings.timeouts.keepalive))
    }

    /// A head that has begun, or the preface, has its time, whatever else the connection does.
    func limitFrameHead(_ place: Int, _ multiplexer: Multiplexer) {
        let open = multiplexer.connection.openHead
        if open == multiplexer.openHead { return }
        multiplexer.openHead = open
        let deadline = now &+ plan.settings.timeouts.header.nanoseconds
        self[place].headDeadline = open == nil ? .max : deadline
        applyDeadline(place, multiplexer)
    }

    private func applyDeadline(_ place: Int, _ multiplexer: Multiplexer) {
        let deadline = min(multiplexer.deadline, self[place].headDeadline)
        self[place].deadline = deadline
        if deadline != .max { deadlines.schedule(client: place, at: deadline) }
    }
}
