internal import CLinux

/// A child that has been started and is on its way to its program.
///
/// Nobody waits for it: as soon as it has the rights of its group, somebody with the same rights can
/// keep it from there.
@safe struct PendingExec {
    enum Outcome {
        /// It executes its program, or was ended before it came to that.
        case over
        /// It ends because it cannot.
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

    /// What has become of it; nil: nothing yet.
    func outcome() -> Outcome? {
        var failure = mooring_spawn_failure()
        guard unsafe mooring_launch_is_over(native, &failure) else { return nil }
        if failure.step.rawValue == 0 { return .over }
        return .failed(SpawnFailure(failure, of: command))
    }

    /// Frees what the child needed; once, after its outcome.
    func end() { unsafe mooring_launch_end(native) }
}
