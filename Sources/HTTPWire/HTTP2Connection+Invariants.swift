// What is true of a connection whenever nobody is inside it.
extension HTTP2Connection {
    /// Traps in debug builds when the state is not sound.
    func checkInvariants() {
        #if DEBUG
            if let broken = brokenInvariant { preconditionFailure(broken) }
        #endif
    }

    /// The first rule that is broken; nil: none.
    var brokenInvariant: String? {
        let limit = 2 * Int(settings.maxConcurrentStreams)
        if streams.count > limit { return "\(streams.count) streams above the limit of \(limit)" }
        var waiting = 0
        for (id, stream) in streams {
            if stream.id != id { return "stream \(stream.id) in the place of \(id)" }
            if let broken = brokenRule(of: stream) { return "stream \(id): \(broken)" }
            waiting += stream.input.count
        }
        // The window is the library's to keep; what it lets in is all that waits.
        if waiting > max(65_535, Int(settings.connectionWindow)) {
            return "\(waiting) octets of bodies wait"
        }
        return nil
    }

    private func brokenRule(of stream: HTTP2Stream) -> String? {
        if stream.input.count > max(1, settings.streamWindow) {
            return "more than its window waits"
        }
        if stream.output.count > settings.outputLimit { return "more output than its limit" }
        if stream.interim.bytes > settings.outputLimit { return "more 1xx heads than its limit" }
        if stream.isForgotten, stream.isClosed { return "nobody needs it any more" }
        if stream.isForgotten, !stream.pending.isEmpty { return "events for nobody" }
        if !stream.pending.isEmpty, !stream.isQueued { return "events that nobody will see" }
        if stream.isForgotten, !stream.input.isEmpty { return "input for nobody" }
        if stream.isReset, !stream.isClosed { return "reset and not closed" }
        if stream.response.isComplete, !stream.isSubmitted { return "complete without a head" }
        if stream.trailers.count > Trailers.limit { return "more trailers than their limit" }
        return nil
    }
}
