/// What follows after a drain.
package enum DrainPurpose: Sendable {
    /// The processes stop too: exchanges without an end of their own are ended.
    case end
    /// The processes stay for another balancer, which is not running yet.
    case leave
    /// Another balancer listens on the same sockets, whose files stay; the closure takes ownership
    /// of connections that are between two requests.
    case handOver(MovedConnection.Taker)
}
