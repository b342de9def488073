internal import Reactor
internal import ReverseProxy
internal import Settings

/// Sockets that already listen when the program starts.
enum InheritedSockets {
    /// The sockets of the predecessor, and those of the service manager.
    ///
    /// - Throws: `ServingError` when one of the latter is not a listening socket.
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
