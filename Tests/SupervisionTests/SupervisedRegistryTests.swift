internal import Backends
internal import Glibc
internal import Logging
internal import Settings
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// Supervision with the registry that it serves in the program.
private final class RegistryFixture: OrderExecutor {
    let facts = Mutex<[RegistryEvent]>([])
    let log = FactLog()
    let directory: TemporaryFolder
    private let parts = Mutex<(supervisor: Supervisor, group: Group)?>(nil)

    /// - Parameter directory: of an earlier fixture, whose processes are adopted; nil: none are.
    init(
        command: [String], adopting directory: TemporaryFolder? = nil,
        _ change: (inout GroupPolicy) -> Void = { _ in }
    ) throws {
        let path = directory?.path
        let directory = directory ?? TemporaryFolder()
        self.directory = directory
        var policy = GroupPolicy(name: "django")
        change(&policy)
        let log = log
        let supervisor = try Supervisor(
            runtimeDirectory: "\(directory.path)/run",
            stateDirectory: path.map { "\($0)/state" },
            launches: [
                LaunchSpec(
                    command: command, directory: directory.path,
                    environment: LaunchEnvironment.base(from: [:], passing: []), threads: 1,
                    multiprocess: true, groupName: "django")
            ],
            log: Logger(label: "test") { _ in FactLogHandler(facts: log) }, onSignal: { _ in })
        let group = Group(
            index: 0, policy: policy, seed: 1, executor: self, now: supervisor.now)
        supervisor.attach(groups: [group], retired: [])
        parts.withLock { $0 = (supervisor, group) }
        try supervisor.start()
        group.start(now: supervisor.now)
    }

    var supervisor: Supervisor {
        get throws { try #require(parts.withLock { $0?.supervisor }) }
    }
    var group: Group { get throws { try #require(parts.withLock { $0?.group }) } }

    /// Stops everything, as the program does at its end, and lets go of what it holds.
    func shutDown() throws {
        let (supervisor, group) = (try supervisor, try group)
        group.shutDown(now: supervisor.now)
        supervisor.stop()
        #expect(group.isStopped)
        parts.withLock { $0 = nil }
    }

    func carryOut(_ orders: [TrafficOrder], group: Int) {}
    func carryOut(_ orders: [SupervisionOrder], group: Int) {
        parts.withLock { $0?.supervisor }?.carryOut(orders, group: group)
    }
    func record(_ events: [RegistryEvent], group: Int) {
        facts.withLock { $0 += events }
        log.append(.advanced)
    }
    func deadlineMovedForward(group: Int) { parts.withLock { $0?.supervisor }?.wake() }

    /// Waits until as many events as asked for are of a kind.
    func wait<Answer>(
        for what: String, count: Int = 1, _ question: (RegistryEvent) -> Answer?
    ) throws -> [Answer] {
        try log.wait(what) { _ in
            let answers = facts.withLock { $0 }.compactMap(question)
            return answers.count >= count ? answers : nil
        }
    }

    func waitUntilReady(_ count: Int) throws {
        _ = try wait(for: "\(count) ready", count: count) { event in
            if case .ready(let process, _) = event { process } else { nil }
        }
    }
}

extension Supervisor {
    fileprivate var now: MonotonicInstant {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(
            nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

extension SupervisorTests {
    @Suite struct Registry {
        @Test func `a group's minimum is started, and its shutdown leaves nothing`() throws {
            let fixture = try RegistryFixture(command: listener) { policy in
                policy.minimum = 2
                policy.maximum = 2
            }
            try fixture.waitUntilReady(2)
            let processes = try fixture.group.snapshot(now: fixture.supervisor.now).processes
            #expect(processes.map(\.state) == [.ready, .ready])
            let pids = processes.compactMap(\.pid)
            #expect(pids.count == 2)
            try fixture.shutDown()
            #expect(!pids.contains(where: isAlive))
            #expect(zombies() == [])
            #expect(
                ProcFile.entries("\(fixture.directory.path)/run").allSatisfy {
                    !$0.hasSuffix(".sock")
                })
        }

        @Test func `a new balancer's group goes on with the processes of the last one`() throws {
            let directory = TemporaryFolder()
            let change: (inout GroupPolicy) -> Void = { policy in
                policy.minimum = 2
                policy.maximum = 2
            }
            let first = try RegistryFixture(command: listener, adopting: directory, change)
            try first.waitUntilReady(2)
            let before = try first.group.snapshot(now: first.supervisor.now).processes
            try first.supervisor.leave()
            try first.supervisor.stop()

            let second = try RegistryFixture(command: listener, adopting: directory, change)
            let after = try second.group.snapshot(now: second.supervisor.now).processes
            #expect(after.map(\.state) == [.ready, .ready])
            #expect(Set(after.map(\.pid)) == Set(before.map(\.pid)))
            #expect(Set(after.map(\.label)) == Set(before.map(\.label)))
            // Nothing is started beside them.
            let spawned = second.facts.withLock { events in
                events.count { event in if case .spawning = event { true } else { false } }
            }
            #expect(spawned == 0)
            try second.shutDown()
            #expect(!after.compactMap(\.pid).contains(where: isAlive))
            #expect(directory.records == [])
        }

        @Test func `a killed process is replaced`() throws {
            let fixture = try RegistryFixture(command: listener)
            try fixture.waitUntilReady(1)
            let before = try fixture.group.snapshot(now: fixture.supervisor.now).processes
            kill(try #require(before.first?.pid), SIGKILL)
            try fixture.waitUntilReady(2)
            let after = try fixture.group.snapshot(now: fixture.supervisor.now).processes
            #expect(after.count == 1)
            #expect(after.first?.pid != before.first?.pid)
            try fixture.shutDown()
        }

        @Test func `a process that misses its watchdog is replaced`() throws {
            let silent = """
                n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                n.sendto(b"WATCHDOG_USEC=300000\\nWATCHDOG=1", os.environ["NOTIFY_SOCKET"])
                """
            let program = listener[2].replacing("print(", with: silent + "\nprint(")
            let fixture = try RegistryFixture(command: ["python3", "-c", program])
            let reasons = try fixture.wait(for: "stopping") { event in
                if case .stopping(_, let reason) = event { reason } else { nil }
            }
            #expect(reasons.first == .watchdog)
            // Make before break: the next one was ready by then.
            try fixture.waitUntilReady(2)
            try fixture.shutDown()
        }

        @Test func `a failed start tells the registry which file is missing`() throws {
            let fixture = try RegistryFixture(command: ["./app"])
            let failures = try fixture.wait(for: "start failed") { event in
                if case .startFailed(_, let report, _, _) = event { report.reason } else { nil }
            }
            #expect(failures.first == "No such file or directory: ./app (exec)")
            try fixture.shutDown()
        }

        @Test func `a process that is not ready in time is killed by the group's deadline`() throws
        {
            let fixture = try RegistryFixture(command: ["sleep", "1000"]) { policy in
                policy.startTimeout = .milliseconds(100)
            }
            let reports = try fixture.wait(for: "gone") { event in
                if case .gone(_, .startTimeout, let report) = event { report } else { nil }
            }
            #expect(reports.first?.signal == SIGKILL)
            try fixture.shutDown()
        }

        @Test func `a process that ignores SIGTERM is killed after its stop timeout`() throws {
            let stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            let fixture = try RegistryFixture(command: ["python3", "-c", stubborn + listener[2]]) {
                $0.stopTimeout = .milliseconds(100)
            }
            try fixture.waitUntilReady(1)
            try fixture.shutDown()
            let killings = fixture.facts.withLock { events in
                events.count { if case .killing = $0 { true } else { false } }
            }
            #expect(killings == 1)
        }
    }
}
