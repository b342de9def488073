internal import Backends
internal import Reactor

/// What others tell a loop.
enum WorkerMessage: Sendable {
    /// A connection, and the index of the listener that it came from.
    case accepted(StreamSocket, SocketAddress, Int)
    /// A connection that another balancer has begun with, and the index of its listener.
    case moved(MovedConnection, Int)
    /// A connection has ended while accepting was held up by the limit.
    case acceptAgain
    case granted(WaiterTag, Grant, group: Int)
    case refused(WaiterTag, Refusal)
    case reconfigure(Reconfiguration)
    /// Show that the loop takes its turns.
    case sign
    /// Move or close what is idle, finish what is under way, at the latest at the given monotonic time.
    case drain(until: Int64, DrainPurpose)
    /// Count what the drain waits for.
    case count(WaitingTally)
    case stop
}
