internal import Logging
internal import Synchronization

@testable internal import AdminAPI
@testable internal import Backends

/// A source whose snapshot the test sets.
final class FixedSource: AdminSource {
    private let value: Mutex<AdminSnapshot>
    /// The loops that take no turns.
    private let stalled: [String]

    init(_ snapshot: AdminSnapshot, stalled: [String] = []) {
        value = Mutex(snapshot)
        self.stalled = stalled
    }

    func stalledLoops() -> [String] { stalled }

    func snapshot() -> AdminSnapshot { value.withLock { $0 } }
    func set(_ snapshot: AdminSnapshot) { value.withLock { $0 = snapshot } }
}

/// Takes down what is asked for; knows the group `django` and the process `k3f9`.
final class RecordedControls: AdminControls {
    private let taken = Mutex<[String]>([])

    var commands: [String] { taken.withLock { $0 } }

    private func note(_ command: String) { taken.withLock { $0.append(command) } }
    private func know(group: String) throws(AdminRefusal) {
        if group != "django" { throw .noSuchGroup("django") }
    }
    private func know(process: String) throws(AdminRefusal) {
        if process != "k3f9" { throw .noSuchProcess(process) }
    }

    func restart(group: String) throws(AdminRefusal) -> Int {
        try know(group: group)
        note("restart")
        return 2
    }
    func scale(group: String, minimum: Int, maximum: Int) throws(AdminRefusal) {
        try know(group: group)
        if minimum > maximum { throw .invalid("min is not to be above max") }
        note("scale \(minimum)..\(maximum)")
    }
    func reset(group: String) throws(AdminRefusal) {
        try know(group: group)
        note("reset")
    }
    func drain(process: String, timeout: Interval?) throws(AdminRefusal) -> String {
        try know(process: process)
        note("drain \(timeout.map { "\($0.seconds)" } ?? "-")")
        return process
    }
    func stop(process: String) throws(AdminRefusal) -> String {
        try know(process: process)
        note("stop")
        return process
    }
    func up(process: String) throws(AdminRefusal) -> String {
        try know(process: process)
        note("up")
        return process
    }
    func reload() async throws(AdminRefusal) -> ReloadReport {
        note("reload")
        if commands.count > 1 { throw .badConfiguration("mooring.toml:3: threads: is 0; needs 1") }
        var report = ReloadReport()
        report.changed = ["django"]
        return report
    }
}

/// 2026-11-22T10:00:00Z.
let startOfTests: Int64 = 1_795_341_600

/// A program that has run for 100 s, its monotonic clock at 1,000 s.
func makeSnapshot(
    groups: [GroupSnapshot] = [makeGroup()], traffic: TrafficSnapshot = TrafficSnapshot(),
    draining: Bool = false, usage: [Int32: UsageSnapshot] = [:]
) -> AdminSnapshot {
    AdminSnapshot(
        version: "0.1.0", node: "host-1", startedAt: startOfTests,
        now: MonotonicInstant(nanoseconds: 1_000_000_000_000),
        wallNow: (startOfTests + 100) * 1_000_000_000, uptime: .seconds(100), draining: draining,
        traffic: traffic, groups: groups, usage: usage)
}

func makeGroup(
    name: String = "django", isSpawned: Bool = true, state: GroupSnapshot.State = .ok,
    minimum: Int = 1, lastFailure: GroupSnapshot.Failure? = nil,
    processes: [ProcessSnapshot] = [makeProcess()]
) -> GroupSnapshot {
    GroupSnapshot(
        name: name, isSpawned: isSpawned, state: state, generation: 1, minimum: minimum,
        maximum: 4, threads: 10, queueLength: 2, queueLimit: 100,
        queueOldest: .milliseconds(1500), queueRejectedTotal: 3, queueTimedOutTotal: 4,
        sessionsLive: 41, sessionsCreatedTotal: 50, sessionsMovedTotal: 5, sessionsLostTotal: 6,
        starting: 1, spawnedTotal: 7, failuresInARow: 0, backoff: .zero,
        lastFailure: lastFailure, limitReachedTotal: 8, processes: processes)
}

func makeProcess(
    label: String = "k3f9", pid: Int32? = 4711, state: ProcessSnapshot.State = .ready
) -> ProcessSnapshot {
    ProcessSnapshot(
        handle: ProcessHandle(index: 0, serial: 1), label: label, pid: pid, state: state,
        reason: .minimum, generation: 1, transient: false,
        address: .unix(path: "/run/mooring/k3f9.sock"), inFlight: 1, queued: 0, sessions: 14,
        requestsTotal: 1300, errorsTotal: 2,
        startedAt: MonotonicInstant(nanoseconds: 990_000_000_000),
        readyAfter: .milliseconds(210), idle: .zero)
}

/// A server for router tests: TCP unless given otherwise, no token.
func makeServer(
    address: ProcessAddress = .tcp(host: "127.0.0.1", port: 9000), token: AdminToken? = nil,
    snapshot: AdminSnapshot = makeSnapshot(), controls: RecordedControls = RecordedControls(),
    readToken: AdminToken? = nil, metricsAreOpen: Bool = false, stalled: [String] = []
) -> AdminServer {
    AdminServer(
        settings: AdminSettings(
            address: address,
            access: AdminAccess(
                .init(token: token, readToken: readToken, metricsAreOpen: metricsAreOpen))),
        node: "host-1",
        source: FixedSource(snapshot, stalled: stalled), controls: controls,
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
}
