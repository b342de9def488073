internal import Reactor

/// One loop's deadlines: one per client connection and per connection to a process, by index.
///
/// Belongs to the loop's thread. Owners store their deadline themselves: an entry that fires early
/// is only a reminder, which its owner schedules again.
final class Deadlines {
    enum Owner: Equatable {
        case client(Int)
        case process(Int)
    }

    private var wheel: TimerWheel
    private let clients: Int
    private var due: [Int32] = []

    /// - Parameters:
    ///   - clients: the most client connections; their indices are below that.
    ///   - processes: the most connections to processes.
    init(clients: Int, processes: Int, now: Int64) {
        self.clients = clients
        wheel = TimerWheel(ids: clients + processes, now: now)
    }

    /// When `fire` should be called next, in monotonic ns; nil: nothing is scheduled.
    var next: Int64? { wheel.nextDeadline }

    /// Ensures that a client connection's entry fires soon after the deadline; an earlier one
    /// stays.
    func schedule(client index: Int, at deadline: Int64) { wheel.schedule(index, at: deadline) }

    /// The same for a connection to a process.
    func schedule(process index: Int, at deadline: Int64) {
        wheel.schedule(clients + index, at: deadline)
    }

    func cancel(client index: Int) { wheel.cancel(index) }

    func cancel(process index: Int) { wheel.cancel(clients + index) }

    /// Reports each fired entry; `body` may schedule and cancel.
    func fire(now: Int64, _ body: (Owner) -> Void) {
        due.removeAll(keepingCapacity: true)
        wheel.advance(to: now, into: &due)
        for id in due {
            let id = Int(id)
            body(id < clients ? .client(id) : .process(id - clients))
        }
    }
}
