/// How far a loop is on its way to its end.
final class DrainState {
    private(set) var isDraining = false
    /// Event streams and WebSockets are ended, for the program ends with its processes.
    private(set) var endsEndless = false
    /// Takes the connections that can be moved; nil: they end here.
    private(set) var successor: MovedConnection.Taker?
    /// Monotonic ns; `Int64.max`: not yet.
    private(set) var since = Int64.max
    /// When what is left is closed; monotonic ns.
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

    /// What was left has been closed.
    func deadlineMet() { deadline = .max }
}
