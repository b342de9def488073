internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// HTTP/2: how long a connection waits for its client.
extension Frames {
    /// A connection of HTTP/2 is idle for too long, or its client does not read, or not finish a head.
    func timedOut(_ place: Int) {
        guard let multiplexer = downstreams.multiplexers[place] else { return }
        if downstreams.now >= downstreams[place].headDeadline {
            downstreams[place].headDeadline = .max
            multiplexer.connection.giveUpHead()
            multiplexer.isClosing = true
            downstreams.setMultiplexerDeadline(
                place, multiplexer, after: plan.settings.timeouts.header)
            return downstreams.noteUnsent(place)
        }
        if downstreams[place].wantsWrite {
            guard downstreams.isTaking(place) else { return clientEnds.close(place) }
            return downstreams.setMultiplexerDeadline(
                place, multiplexer, after: plan.settings.timeouts.bodyIdle)
        }
        guard multiplexer.places.isEmpty else {
            // Responses whose client takes nothing, though they are finished here.
            multiplexer.connection.resetStalled()
            downstreams.setMultiplexerDeadline(
                place, multiplexer, after: plan.settings.timeouts.bodyIdle)
            return downstreams.noteUnsent(place)
        }
        multiplexer.connection.goAway()
        multiplexer.isClosing = true
        downstreams.noteUnsent(place)
    }
}
