/// The kind of a descriptor in supervision's loop: the low bits of its token, below an id.
enum EventSource: UInt64 {
    case signals
    /// The pidfd of a process.
    case exit
    /// The progress of a child towards exec.
    case exec
    case output
    case errors
    /// A connection attempt to a starting process.
    case connection
    /// The pidfd of a stray descendant that was killed, by its pid.
    case stray
    case notify
    /// A health check of a process.
    case health
    /// The pidfd of a process that no group has room for.
    case leftover
    /// The pidfd of a balancer that ends, by its pid.
    case predecessor
    /// Sockets that appear (inotify).
    case socket
    /// A health check of an external server.
    case server
    /// A socket to a name server, by its descriptor.
    case name

    private static let bits: UInt64 = 4

    /// - Parameter id: the source's own id; below 2^60.
    func token(_ id: UInt64) -> UInt64 { id << Self.bits | rawValue }

    /// The source and the id in a token that ``token(_:)`` has made.
    static func split(_ token: UInt64) -> (source: EventSource, id: UInt64) {
        guard let source = EventSource(rawValue: token & ((1 << bits) - 1)) else {
            preconditionFailure("a token of no source")
        }
        return (source, token >> bits)
    }
}
