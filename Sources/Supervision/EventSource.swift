/// What a descriptor of supervision's loop is: the low bits of its token, below an id.
enum EventSource: UInt64 {
    case signals
    /// The pidfd of a process.
    case exit
    /// The end of a child's way to its program.
    case exec
    case output
    case errors
    /// An attempt to connect to a starting process.
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
    /// Sockets that appear.
    case socket
    /// A health check of an external server.
    case server

    private static let bits: UInt64 = 4

    /// - Parameter id: what the source means by it; below 2^60.
    func token(_ id: UInt64) -> UInt64 { id << Self.bits | rawValue }

    /// The source and the id of a token that ``token(_:)`` has made.
    static func split(_ token: UInt64) -> (source: EventSource, id: UInt64) {
        guard let source = EventSource(rawValue: token & ((1 << bits) - 1)) else {
            preconditionFailure("a token of nobody's")
        }
        return (source, token >> bits)
    }
}
