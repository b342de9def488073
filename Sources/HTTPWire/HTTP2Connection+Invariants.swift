// The invariants of a connection, valid between calls.
extension HTTP2Connection {
    /// Traps in debug builds if an invariant is violated.
    func checkInvariants() {
        #if DEBUG
            if let broken = brokenInvariant { preconditionFailure(broken) }
        #endif
    }

    /// The first violated invariant; nil: none.
    var brokenInvariant: String? {
        let limit = 2 * Int(settings.maxConcurrentStreams)
        if streams.count > limit { return "\(streams.count) streams above the limit of \(limit)" }
        var waiting = 0
        for (id, stream) in streams {
            if stream.id != id { return "stream \(stream.id) in the place of \(id)" }
            if let broken = brokenRule(of: stream) { return "stream \(id): \(broken)" }
            waiting += stream.input.count
        }
        // nghttp2 enforces the window; everything that it admits waits here.
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
        if stream.isForgotten, stream.isClosed { return "forgotten and closed, but not dropped" }
        if stream.isForgotten, !stream.pending.isEmpty { return "events for a forgotten stream" }
        if !stream.pending.isEmpty, !stream.isQueued { return "events not queued" }
        if stream.isForgotten, !stream.input.isEmpty { return "input for a forgotten stream" }
        if stream.isReset, !stream.isClosed { return "reset and not closed" }
        if stream.response.isComplete, !stream.isSubmitted { return "complete without a head" }
        if stream.trailers.count > Trailers.limit { return "more trailers than their limit" }
        return nil
    }
}
