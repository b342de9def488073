internal import CLinux

/// A child that was started but has not executed its program yet.
///
/// No thread waits for it: once it has its group's credentials, another process with the same
/// credentials can block it.
@safe struct PendingExec {
    enum Outcome {
        /// It has executed its program, or was killed before that.
        case over
        /// It exits because it cannot.
        case failed(SpawnFailure)
    }

    private let native: OpaquePointer
    private let command: ChildProcess.Command

    init(_ native: OpaquePointer, of command: ChildProcess.Command) {
        unsafe self.native = native
        self.command = command
    }

    /// Becomes readable when there is an outcome.
    var descriptor: Int32 { unsafe mooring_launch_report(native) }

    /// The outcome; nil: none yet.
    func outcome() -> Outcome? {
        var failure = mooring_spawn_failure()
        guard unsafe mooring_launch_is_over(native, &failure) else { return nil }
        if failure.step.rawValue == 0 { return .over }
        return .failed(SpawnFailure(failure, of: command))
    }

    /// Frees what the child needed; call once, after its outcome.
    func end() { unsafe mooring_launch_end(native) }
}
