internal import Backends

/// The part of a group that supervision uses: to report facts, and to drive its time.
///
/// The program uses the registry's `Group`; supervision's tests use their own.
protocol SupervisedGroup: Sendable {
    /// As the configuration calls it.
    var name: String { get }
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
    func checked(_ server: ProcessHandle, _ result: CheckResult, now: MonotonicInstant)
    var namedServers: [ProcessAddress] { get }
    func resolved(_ place: ProcessAddress, to addresses: [String], now: MonotonicInstant)
    func unresolved(_ place: ProcessAddress, now: MonotonicInstant)
    func takeOutAgain(_ servers: [OutOfService], now: MonotonicInstant)
    func advance(to now: MonotonicInstant)
    var nextDeadline: MonotonicInstant? { get }
}

extension Group: SupervisedGroup {}
