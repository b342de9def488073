internal import Backends
internal import HTTPWire
internal import Reactor

/// HTTP/2: how long a connection waits for its client.
extension Worker {
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
        let patience = drain.isDraining ? Self.noticePatience : settings.timeouts.keepalive
        setMultiplexerDeadline(
            place, multiplexer, after: min(patience, settings.timeouts.keepalive))
    }

    /// A head that has begun, or the preface, has its time, whatever else the connection does.
    func limitFrameHead(_ place: Int, _ multiplexer: Multiplexer) {
        let open = multiplexer.connection.openHead
        if open == multiplexer.openHead { return }
        multiplexer.openHead = open
        let deadline = now &+ settings.timeouts.header.nanoseconds
        downstreams[place].headDeadline = open == nil ? .max : deadline
        applyDeadline(place, multiplexer)
    }

    private func applyDeadline(_ place: Int, _ multiplexer: Multiplexer) {
        let deadline = min(multiplexer.deadline, downstreams[place].headDeadline)
        downstreams[place].deadline = deadline
        if deadline != .max { deadlines.schedule(client: place, at: deadline) }
    }

    /// A connection of HTTP/2 is idle for too long, or its client does not read, or not finish a head.
    func multiplexerTimedOut(_ place: Int) {
        guard let multiplexer = multiplexers[place] else { return }
        if now >= downstreams[place].headDeadline {
            downstreams[place].headDeadline = .max
            multiplexer.connection.giveUpHead()
            multiplexer.isClosing = true
            setMultiplexerDeadline(place, multiplexer, after: settings.timeouts.header)
            return noteUnsent(place)
        }
        if downstreams[place].wantsWrite {
            guard isTaking(place) else { return closeDownstream(place) }
            return setMultiplexerDeadline(place, multiplexer, after: settings.timeouts.bodyIdle)
        }
        guard multiplexer.places.isEmpty else {
            // Responses whose client takes nothing, though they are finished here.
            multiplexer.connection.resetStalled()
            setMultiplexerDeadline(place, multiplexer, after: settings.timeouts.bodyIdle)
            return noteUnsent(place)
        }
        multiplexer.connection.goAway()
        multiplexer.isClosing = true
        noteUnsent(place)
    }
}
