internal import Backends
internal import Reactor

/// Messages to a loop.
enum WorkerMessage: Sendable {
    /// A connection, and the index of the listener that it came from.
    case accepted(StreamSocket, SocketAddress, Int)
    /// A connection that another balancer has begun to serve, and the index of its listener.
    case moved(MovedConnection, Int)
    /// A connection has closed while the limit paused accepting.
    case acceptAgain
    case granted(WaiterTag, Grant, group: Int)
    case refused(WaiterTag, Refusal)
    /// Close what is idle of a FastCGI process.
    case letGo(ProcessHandle, group: Int)
    case reconfigure(Reconfiguration)
    /// A liveness check.
    case livenessCheck
    /// Move or close idle connections, and finish the others by the given monotonic time.
    case drain(until: Int64, DrainPurpose)
    /// Count what the drain waits for.
    case count(WaitingTally)
    case stop
}
