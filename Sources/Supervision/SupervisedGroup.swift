internal import Backends

/// What supervision needs of a group: where to report facts, and when its time has come.
///
/// The registry's `Group` is the one in the program; tests of supervision alone bring their own.
protocol SupervisedGroup: Sendable {
    func spawned(
        _ process: ProcessHandle, incarnation: Incarnation, label: String, pid: Int32,
        address: ProcessAddress, now: MonotonicInstant)
    func adopt(_ process: AdoptedProcess, now: MonotonicInstant) -> ProcessHandle?
    func endSharing(now: MonotonicInstant)
    func listens(_ process: ProcessHandle, at address: ProcessAddress, now: MonotonicInstant)
    func startSleeps(_ process: ProcessHandle, _ sleeps: Bool, now: MonotonicInstant)
    func becameReady(_ process: ProcessHandle, now: MonotonicInstant)
    func noted(_ process: ProcessHandle, _ note: ProcessNote, now: MonotonicInstant)
    func recycle(_ process: ProcessHandle, reason: StopReason, now: MonotonicInstant)
    func exited(_ process: ProcessHandle, _ report: ExitReport, now: MonotonicInstant)
    var checkedServers: [CheckedServer] { get }
    func checked(_ server: ProcessHandle, isWell: Bool, now: MonotonicInstant)
    func advance(to now: MonotonicInstant)
    var nextDeadline: MonotonicInstant? { get }
}

extension Group: SupervisedGroup {}
