internal import Backends
internal import Synchronization
internal import Testing

/// Takes down what a group orders.
final class Recorder: OrderExecutor {
    struct Log {
        var traffic: [TrafficOrder] = []
        var supervision: [SupervisionOrder] = []
        var events: [RegistryEvent] = []
        var deadlineMoves = 0
    }

    private let log = Mutex(Log())

    func carryOut(_ orders: [TrafficOrder], group: Int) {
        log.withLock { $0.traffic += orders }
    }
    func carryOut(_ orders: [SupervisionOrder], group: Int) {
        log.withLock { $0.supervision += orders }
    }
    func record(_ events: [RegistryEvent], group: Int) { log.withLock { $0.events += events } }
    func deadlineMovedForward(group: Int) { log.withLock { $0.deadlineMoves += 1 } }

    var events: [RegistryEvent] { log.withLock { $0.events } }
    var supervision: [SupervisionOrder] { log.withLock { $0.supervision } }
    var deadlineMoves: Int { log.withLock { $0.deadlineMoves } }

    /// The orders for waiters since the last call.
    func takeTraffic() -> [TrafficOrder] {
        log.withLock { log in
            defer { log.traffic = [] }
            return log.traffic
        }
    }

    var starts: [ProcessHandle] {
        supervision.compactMap { order in
            if case .spawn(let handle, _, _) = order { handle } else { nil }
        }
    }
    var startReasons: [SpawnReason] {
        supervision.compactMap { order in
            if case .spawn(_, let reason, _) = order { reason } else { nil }
        }
    }
    var terminated: [ProcessHandle] {
        supervision.compactMap { order in
            if case .terminate(let handle, _) = order { handle } else { nil }
        }
    }
    var killed: [ProcessHandle] {
        supervision.compactMap { order in
            if case .kill(let handle, _) = order { handle } else { nil }
        }
    }
}

/// A group with a clock of its own, and a supervision that executes every order at once.
final class Bench {
    let recorder = Recorder()
    let group: Group
    var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    private var attended = 0
    private var lastSession: UInt64 = 0
    private var lastWaiter: UInt64 = 0

    init(
        _ name: String = "django", index: Int = 0, seed: UInt64 = 1, budget: SpawnBudget? = nil,
        _ configure: (inout GroupPolicy) -> Void
    ) {
        var policy = GroupPolicy(name: name)
        configure(&policy)
        group = Group(
            index: index, policy: policy, seed: seed, executor: recorder, budget: budget, now: now)
        group.start(now: now)
    }

    /// A spawned group all of whose minimum is ready.
    static func ready(
        _ count: Int = 1, _ configure: (inout GroupPolicy) -> Void = { _ in }
    ) -> Bench {
        let bench = Bench { policy in
            policy.minimum = count
            policy.maximum = count
            configure(&policy)
        }
        while !bench.readyAll().isEmpty {}
        return bench
    }

    static func external(
        _ weights: [Int], _ configure: (inout GroupPolicy) -> Void = { _ in }
    ) -> Bench {
        Bench { policy in
            policy.kind = .external(
                weights.enumerated().map { index, weight in
                    .init(
                        address: .tcp(host: "10.0.0.\(index + 1)", port: 8000), weight: weight)
                })
            configure(&policy)
        }
    }

    // MARK: Supervision

    static func incarnation(of handle: ProcessHandle) -> Incarnation {
        Incarnation(UInt64(handle.index) << 32 | UInt64(handle.serial) | 1 << 63)
    }

    func spawn(_ handle: ProcessHandle) {
        group.spawned(
            handle, incarnation: Self.incarnation(of: handle), label: "p\(handle.index)",
            pid: Int32(100 + handle.index), address: .unix(path: "/run/\(handle.index).sock"),
            now: now)
    }

    /// Every start that was ordered and not attended to.
    func takeStarts() -> [ProcessHandle] {
        let starts = recorder.starts
        defer { attended = starts.count }
        return Array(starts[attended...])
    }

    @discardableResult
    func readyAll() -> [ProcessHandle] {
        let starts = takeStarts()
        for handle in starts {
            spawn(handle)
            group.becameReady(handle, now: now)
        }
        return starts
    }

    /// Lets every start that was ordered fail.
    func failAll() {
        for handle in takeStarts() { exit(handle) }
    }

    func exit(_ handle: ProcessHandle, status: Int32 = 1) {
        group.exited(
            handle, ExitReport(reason: "exited with status \(status)", status: status), now: now)
    }

    // MARK: Time

    /// Lets time pass as the real driver does: from deadline to deadline.
    func pass(_ span: Interval) {
        let end = now + span
        while let deadline = group.nextDeadline, deadline <= end {
            now = max(now, deadline)
            group.advance(to: now)
        }
        now = end
    }

    // MARK: Requests

    func freshSession() -> SessionID {
        lastSession += 1
        return SessionID(high: lastSession, low: 0)
    }

    /// A request without a cookie, to be pinned or not.
    func acquire(pinned: Bool = true, waitingSince: MonotonicInstant? = nil) -> Admission {
        lastWaiter += 1
        var request = AdmissionRequest(
            claim: nil, newSession: pinned ? freshSession() : nil, waiter: .init(lastWaiter))
        request.waitingSince = waitingSince
        return group.acquire(request, now: now)
    }

    /// A request with a cookie.
    func acquire(
        _ session: SessionID, on process: Incarnation, requiresLease: Bool = false
    ) -> Admission {
        lastWaiter += 1
        return group.acquire(
            AdmissionRequest(
                claim: .init(session: session, process: process, requiresLease: requiresLease),
                newSession: freshSession(), waiter: .init(lastWaiter)),
            now: now)
    }

    func acquire(as grant: Grant) throws -> Admission {
        acquire(try #require(grant.session), on: grant.incarnation)
    }

    /// Begins a session whose first request is over.
    func visit() throws -> Grant {
        let grant = try acquire().grant()
        group.finished(grant, .served, now: now)
        return grant
    }

    /// The same on a given process.
    func visit(on process: ProcessHandle) throws -> Grant {
        for _ in 0..<1000 {
            let grant = try visit()
            if grant.process == process { return grant }
        }
        throw Unexpected()
    }

    func finish(_ grant: Grant, _ outcome: ExchangeOutcome = .served) {
        group.finished(grant, outcome, now: now)
    }

    var snapshot: GroupSnapshot { group.snapshot(now: now) }
    var lastTag: WaiterTag { WaiterTag(lastWaiter) }
}

extension Admission {
    func grant(sourceLocation: SourceLocation = #_sourceLocation) throws -> Grant {
        guard case .granted(let grant) = self else {
            Issue.record("not granted: \(self)", sourceLocation: sourceLocation)
            throw Unexpected()
        }
        return grant
    }

    func ticket(sourceLocation: SourceLocation = #_sourceLocation) throws -> WaiterTicket {
        guard case .queued(let ticket) = self else {
            Issue.record("not queued: \(self)", sourceLocation: sourceLocation)
            throw Unexpected()
        }
        return ticket
    }

    var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

struct Unexpected: Error {}

extension TrafficOrder {
    var tag: WaiterTag {
        switch self {
        case .grant(let tag, _), .refuse(let tag, _): tag
        }
    }
    var grant: Grant? {
        if case .grant(_, let grant) = self { grant } else { nil }
    }
    var refusal: Refusal? {
        if case .refuse(_, let refusal) = self { refusal } else { nil }
    }
}
