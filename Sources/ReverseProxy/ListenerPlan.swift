internal import HTTPWire

/// The listener settings that the request path needs: plain data, so that a look-up counts no
/// references.
struct ListenerPlan {
    var givesRequestIDs = false
    var beginsTraces = false
    var redirects = false
    /// Responses get additional fields.
    var hasFields = false

    /// - Parameter settings: nil: the listener was removed, and its connections continue without
    ///   settings.
    init(_ settings: ListenerSettings?) {
        guard let settings else { return }
        givesRequestIDs = settings.givesRequestIDs
        beginsTraces = settings.beginsTraces
        redirects = settings.redirectsToHTTPS
        hasFields = !settings.headers.isEmpty
    }
}
