internal import Glibc

/// Descriptors for connections to processes: a bounded share, so that the rest of the program always
/// finds some.
extension Worker {
    /// Counts a connection that is about to be made; false: there are as many as there may be, and
    /// none that is idle here could be closed for it.
    func takeDescriptor() -> Bool {
        if shared.takeUpstream(limit: settings.limits.upstreams) { return true }
        guard let idle = upstreams.takenPlaces().first(where: { upstreams[$0].phase == .idle })
        else { return false }
        closeUpstream(idle)
        return shared.takeUpstream(limit: settings.limits.upstreams)
    }

    /// Counts a connection out that has been closed.
    func giveDescriptor() { shared.giveUpstream() }
}
