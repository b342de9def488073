/// What comes after a drain.
package enum DrainPurpose: Sendable {
    /// The processes end too: what has no end of its own is ended.
    case end
    /// The processes stay for another balancer, which is not there yet.
    case leave
    /// Another balancer listens on the same sockets, whose files stay; it is given the connections
    /// that are between two requests, which belong to the closure then.
    case handOver(MovedConnection.Taker)
}
