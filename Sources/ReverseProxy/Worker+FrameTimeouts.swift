internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// HTTP/2: how long a connection waits for its client.
extension Worker {
    /// A connection of HTTP/2 is idle for too long, or its client does not read, or not finish a head.
    func multiplexerTimedOut(_ place: Int) {
        guard let multiplexer = downstreams.multiplexers[place] else { return }
        if now >= downstreams[place].headDeadline {
            downstreams[place].headDeadline = .max
            multiplexer.connection.giveUpHead()
            multiplexer.isClosing = true
            downstreams.setMultiplexerDeadline(place, multiplexer, after: settings.timeouts.header)
            return downstreams.noteUnsent(place)
        }
        if downstreams[place].wantsWrite {
            guard downstreams.isTaking(place) else { return closeDownstream(place) }
            return downstreams.setMultiplexerDeadline(
                place, multiplexer, after: settings.timeouts.bodyIdle)
        }
        guard multiplexer.places.isEmpty else {
            // Responses whose client takes nothing, though they are finished here.
            multiplexer.connection.resetStalled()
            downstreams.setMultiplexerDeadline(
                place, multiplexer, after: settings.timeouts.bodyIdle)
            return downstreams.noteUnsent(place)
        }
        multiplexer.connection.goAway()
        multiplexer.isClosing = true
        downstreams.noteUnsent(place)
    }
}
