internal import Backends
internal import HTTPWire
internal import Reactor
internal import Settings

/// HTTP/2: the deadlines of a connection.
extension Frames {
    /// A connection is idle for too long, or its client does not read, or does not complete a head.
    func timedOut(_ entry: Int) {
        guard let multiplexer = downstreams.multiplexers[entry] else { return }
        if downstreams.now >= downstreams[entry].headDeadline {
            downstreams[entry].headDeadline = .max
            multiplexer.connection.giveUpHead()
            multiplexer.isClosing = true
            downstreams.setMultiplexerDeadline(
                entry, multiplexer, after: plan.settings.timeouts.header)
            return downstreams.noteUnsent(entry)
        }
        if downstreams[entry].wantsWrite {
            guard downstreams.isTaking(entry) else { return clientEnds.close(entry) }
            return downstreams.setMultiplexerDeadline(
                entry, multiplexer, after: plan.settings.timeouts.bodyIdle)
        }
        guard multiplexer.entries.isEmpty else {
            // Finished responses whose client reads nothing.
            multiplexer.connection.resetStalled()
            downstreams.setMultiplexerDeadline(
                entry, multiplexer, after: plan.settings.timeouts.bodyIdle)
            return downstreams.noteUnsent(entry)
        }
        multiplexer.connection.goAway()
        multiplexer.isClosing = true
        downstreams.noteUnsent(entry)
    }
}
