internal import HTTPWire

/// What the request path needs of a listener: plain data, so that looking it up counts no references.
struct ListenerPlan {
    var givesRequestIDs = false
    var beginsTraces = false
    var redirects = false
    /// Responses get fields of its own.
    var hasFields = false

    /// - Parameter settings: nil: the listener was taken away, and its connections go on without.
    init(_ settings: ListenerSettings?) {
        guard let settings else { return }
        givesRequestIDs = settings.givesRequestIDs
        beginsTraces = settings.beginsTraces
        redirects = settings.redirectsToHTTPS
        hasFields = !settings.headers.isEmpty
    }
}
