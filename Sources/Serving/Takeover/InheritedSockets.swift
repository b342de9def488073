internal import Reactor
internal import ReverseProxy
internal import Settings

/// Sockets that listen already when the program starts.
enum InheritedSockets {
    /// Those of the balancer that is taken over, and those of the service manager.
    ///
    /// - Throws: `ServingError` when one of the latter cannot be listened on.
    static func all(
        from predecessor: Predecessor?, _ manager: ServiceManager
    ) throws -> [ListenerAddress: ListeningSocket] {
        var sockets = predecessor?.listeners ?? [:]
        for (name, descriptor) in manager.sockets
        where sockets[.inherited(name: name)] == nil {
            do {
                sockets[.inherited(name: name)] = try ListeningSocket(inheriting: descriptor)
            } catch {
                throw ServingError.failed("the socket \(name) of the service manager: \(error)")
            }
        }
        return sockets
    }
}
