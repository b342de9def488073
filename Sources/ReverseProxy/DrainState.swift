/// A loop's progress in draining.
final class DrainState {
    private(set) var isDraining = false
    /// Event streams and WebSockets are ended, since the program stops with its processes.
    private(set) var endsEndless = false
    /// Receives the connections that can be moved; nil: they are closed here.
    private(set) var successor: MovedConnection.Taker?
    /// Monotonic ns; `Int64.max`: not draining.
    private(set) var since = Int64.max
    /// When the remaining connections are closed; monotonic ns.
    private(set) var deadline = Int64.max

    func begin(until deadline: Int64, _ purpose: DrainPurpose, now: Int64) {
        isDraining = true
        since = now
        self.deadline = deadline
        switch purpose {
        case .end: endsEndless = true
        case .leave: break
        case .handOver(let taker): successor = taker
        }
    }

    /// The remaining connections were closed.
    func deadlineMet() { deadline = .max }
}
