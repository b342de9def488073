internal import Reactor

/// By what processes are started, and those that have not come to their programs yet.
struct Launching {
    var table: LaunchTable
    /// `/dev/null`, the children's standard input.
    let input: Int32
    /// By the processes' ids.
    private var pending: [UInt64: PendingExec] = [:]

    init(_ launches: [LaunchSpec?], input: Int32) {
        table = LaunchTable(launches)
        self.input = input
    }

    /// The processes that are on their way.
    var pendingIDs: [UInt64] { Array(pending.keys) }

    /// Has the loop tell when a child executes its program.
    ///
    /// - Throws: when it cannot; the child is followed all the same.
    mutating func follow(
        _ exec: PendingExec, of id: UInt64, on loop: EventLoop
    ) throws(SystemError) {
        pending[id] = exec
        try loop.add(exec.descriptor, token: EventSource.exec.token(id))
    }

    /// What has become of a child, once; nil: nothing yet, or it is not on its way.
    mutating func takeOutcome(of id: UInt64) -> PendingExec.Outcome? {
        guard let exec = pending[id], let outcome = exec.outcome() else { return nil }
        pending[id] = nil
        exec.end()
        return outcome
    }
}
