internal import Reactor

/// Launch settings, and children that have not executed their programs yet.
struct Launching {
    var table: LaunchTable
    /// `/dev/null`, the children's standard input.
    let input: Int32
    /// By the processes' ids.
    private var pending: [UInt64: PendingExec] = [:]

    /// - Parameter retired: how many groups behind those have left the configuration.
    init(_ launches: [LaunchSpec?], retired: Int, input: Int32) {
        table = LaunchTable(launches, retired: retired)
        self.input = input
    }

    /// The ids of children that have not executed their programs.
    var pendingIDs: [UInt64] { Array(pending.keys) }

    /// Registers for an event when a child executes its program.
    ///
    /// - Throws: when that fails; the child is tracked all the same.
    mutating func follow(
        _ exec: PendingExec, of id: UInt64, on loop: EventLoop
    ) throws(SystemError) {
        pending[id] = exec
        try loop.add(exec.descriptor, token: EventSource.exec.token(id))
    }

    /// The outcome of a child's exec, once; nil: none yet, or it is not pending.
    mutating func takeOutcome(of id: UInt64) -> PendingExec.Outcome? {
        guard let exec = pending[id], let outcome = exec.outcome() else { return nil }
        pending[id] = nil
        exec.end()
        return outcome
    }
}
