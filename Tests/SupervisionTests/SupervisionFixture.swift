internal import Backends
internal import Dispatch
internal import Glibc
internal import Logging
internal import Settings
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Supervision

/// What supervision reported of a process.
enum Fact: Equatable, Sendable {
    case spawned(ProcessHandle, pid: Int32, label: String, ProcessAddress)
    case adopted(ProcessHandle, AdoptedProcess)
    case sharingEnded
    case listens(ProcessHandle, ProcessAddress)
    case slept(ProcessHandle, Bool)
    case ready(ProcessHandle)
    case noted(ProcessHandle, ProcessNote)
    case recycled(ProcessHandle, StopReason)
    case exited(ProcessHandle, ExitReport)
    case advanced
    case logged(String, Logger.Level)
    case signal(Int32)
}

/// The facts and log lines of one test in order, and a way to wait for one of them.
final class FactLog: Sendable {
    private let facts = Mutex<[Fact]>([])
    private let groups = Mutex<[(line: String, group: String?)]>([])
    private let news = DispatchSemaphore(value: 0)

    var all: [Fact] { facts.withLock { $0 } }

    func append(_ fact: Fact) {
        facts.withLock { $0.append(fact) }
        news.signal()
    }

    func append(_ line: String, group: String?) {
        groups.withLock { $0.append((line, group)) }
    }

    /// The group that each of the lines with this text in them names as a fact.
    func groups(ofLinesWith text: String) -> [String?] {
        groups.withLock { lines in lines.filter { $0.line.contains(text) }.map(\.group) }
    }

    /// The first answer of `question` over the facts so far; fails the test after 20 seconds.
    func wait<Answer>(
        _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ question: ([Fact]) -> Answer?
    ) throws -> Answer {
        let deadline = DispatchTime.now() + .seconds(20)
        while true {
            if let answer = question(all) { return answer }
            if news.wait(timeout: deadline) == .timedOut {
                return try #require(
                    question(all), "\(what); so far: \(all)", sourceLocation: sourceLocation)
            }
        }
    }
}

/// Stands in for the registry: records the facts that it receives.
final class FactGroup: SupervisedGroup {
    let facts: FactLog
    let name: String
    let deadline = Mutex<MonotonicInstant?>(nil)
    /// For processes to adopt.
    let hasRoom = Mutex(true)
    /// Called on supervision's thread.
    let onAdvance = Mutex<(@Sendable () -> Void)?>(nil)

    init(facts: FactLog, name: String = "group0") {
        self.facts = facts
        self.name = name
    }

    func spawned(
        _ process: ProcessHandle, incarnation: Incarnation, label: String, pid: Int32,
        address: ProcessAddress, now: MonotonicInstant
    ) {
        facts.append(.spawned(process, pid: pid, label: label, address))
    }
    func adopt(_ process: AdoptedProcess, now: MonotonicInstant) -> ProcessHandle? {
        guard hasRoom.withLock({ $0 }) else { return nil }
        let handle = ProcessHandle(index: UInt32(1000 + facts.all.count), serial: 1)
        facts.append(.adopted(handle, process))
        return handle
    }
    func endSharing(now: MonotonicInstant) { facts.append(.sharingEnded) }
    func listens(_ process: ProcessHandle, at address: ProcessAddress, now: MonotonicInstant) {
        facts.append(.listens(process, address))
    }
    func startSleeps(_ process: ProcessHandle, _ sleeps: Bool, now: MonotonicInstant) {
        facts.append(.slept(process, sleeps))
    }
    func becameReady(_ process: ProcessHandle, now: MonotonicInstant) {
        facts.append(.ready(process))
    }
    func noted(_ process: ProcessHandle, _ note: ProcessNote, now: MonotonicInstant) {
        facts.append(.noted(process, note))
    }
    func recycle(_ process: ProcessHandle, reason: StopReason, now: MonotonicInstant) {
        facts.append(.recycled(process, reason))
    }
    func exited(_ process: ProcessHandle, _ report: ExitReport, now: MonotonicInstant) {
        facts.append(.exited(process, report))
    }
    var checkedServers: [CheckedServer] { [] }
    var namedServers: [ProcessAddress] { [] }
    func resolved(_ place: ProcessAddress, to addresses: [String], now: MonotonicInstant) {}
    func unresolved(_ place: ProcessAddress, now: MonotonicInstant) {}
    func takeOutAgain(_ servers: [OutOfService], now: MonotonicInstant) {}
    func checked(_ server: ProcessHandle, _ result: CheckResult, now: MonotonicInstant) {}
    func advance(to now: MonotonicInstant) {
        deadline.withLock { $0 = nil }
        onAdvance.withLock { $0 }?()
        facts.append(.advanced)
    }
    var nextDeadline: MonotonicInstant? { deadline.withLock { $0 } }
}

/// Log lines are facts too, so that a test can wait for what a process prints.
struct FactLogHandler: LogHandler {
    var facts: FactLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let group = event.metadata?["group"] ?? metadata["group"]
        facts.append("\(event.message)", group: group.map { "\($0)" })
        facts.append(.logged("\(event.message)", event.level))
    }
}

/// A running supervisor over one group, whose processes all end with the test.
final class SupervisionFixture {
    let facts = FactLog()
    let group: FactGroup
    let supervisor: Supervisor
    /// The groups of earlier fixtures that this one has not.
    let retired: [RetiredGroup]
    let directory: TemporaryFolder
    private var lastIndex: UInt32 = 0

    /// - Parameters:
    ///   - commands: the command of each group.
    ///   - directory: of an earlier fixture, whose processes it is to find.
    ///   - keepsRecords: whether there is a state directory.
    ///   - findsRetired: whether it takes up groups that it has no launch for.
    ///   - hasRoom: whether processes are adopted that the registry is asked to adopt.
    ///   - change: what is special about the launch of each.
    init(
        _ commands: [String]..., environment: [String: String] = [:],
        in directory: TemporaryFolder = TemporaryFolder(), keepsRecords: Bool = false,
        hasRoom: Bool = true, findsRetired: Bool = false,
        change: (inout LaunchSpec) -> Void = { _ in }
    ) throws {
        let facts = facts
        self.directory = directory
        group = FactGroup(facts: facts)
        group.hasRoom.withLock { $0 = hasRoom }
        var environment = environment
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        let path = directory.path
        let launches = commands.enumerated().map { index, command in
            var launch = LaunchSpec(
                command: command, directory: path, environment: environment, threads: 3,
                multiprocess: false, groupName: "group\(index)")
            change(&launch)
            return launch
        }
        supervisor = try Supervisor(
            runtimeDirectory: "\(path)/run",
            stateDirectory: keepsRecords ? "\(path)/state" : nil, launches: launches,
            log: Logger(label: "test") { _ in FactLogHandler(facts: facts) },
            onSignal: { facts.append(.signal($0)) })
        retired = findsRetired ? supervisor.retiredGroups() : []
        supervisor.attach(launches.map { _ in group } + retired.map { _ in group }, retired)
        try supervisor.start()
    }

    /// A fixture whose processes are scripts of sh(1).
    convenience init(
        script: String, change: (inout LaunchSpec) -> Void = { _ in }
    ) throws {
        try self.init(["sh", "-c", script], change: change)
    }

    deinit {
        supervisor.killAll()
        supervisor.stop()
    }

    @discardableResult func spawn(group: Int = 0, generation: Int = 1) -> ProcessHandle {
        lastIndex += 1
        let handle = ProcessHandle(index: lastIndex, serial: 1)
        supervisor.carryOut(
            [.spawn(handle, reason: .minimum, generation: generation)], group: group)
        return handle
    }

    func terminate(_ handle: ProcessHandle) {
        supervisor.carryOut([.terminate(handle, reason: .shutdown)], group: 0)
    }

    func remember(_ handle: ProcessHandle, _ sessions: RememberedSessions) {
        supervisor.carryOut([.remember(handle, sessions)], group: 0)
    }

    func kill(_ handle: ProcessHandle) {
        supervisor.carryOut([.kill(handle, reason: .startTimeout)], group: 0)
    }

    func pid(of handle: ProcessHandle) throws -> Int32 {
        try facts.wait("spawned") { facts in
            facts.lazy.compactMap { fact in
                if case .spawned(handle, let pid, _, _) = fact { pid } else { nil }
            }.first
        }
    }

    func label(of handle: ProcessHandle) throws -> String {
        try facts.wait("spawned") { facts in
            facts.lazy.compactMap { fact in
                if case .spawned(handle, _, let label, _) = fact { label } else { nil }
            }.first
        }
    }

    func address(of handle: ProcessHandle) throws -> ProcessAddress {
        try facts.wait("spawned") { facts in
            facts.lazy.compactMap { fact in
                if case .spawned(handle, _, _, let address) = fact { address } else { nil }
            }.first
        }
    }

    func waitUntilReady(_ handle: ProcessHandle) throws {
        try facts.wait("ready") { $0.contains(.ready(handle)) ? () : nil }
    }

    func wait(for fact: Fact) throws {
        try facts.wait("\(fact)") { $0.contains(fact) ? () : nil }
    }

    func waitForExit(_ handle: ProcessHandle) throws -> ExitReport {
        try facts.wait("exited") { facts in
            facts.lazy.compactMap { fact in
                if case .exited(handle, let report) = fact { report } else { nil }
            }.first
        }
    }

    /// Waits for a line of output that begins with `prefix`, and returns what follows.
    func waitForLine(_ prefix: String) throws -> String {
        try facts.wait("the line \(prefix)") { facts in
            facts.lazy.compactMap { fact in
                guard case .logged(let line, _) = fact, line.hasPrefix(prefix) else { return nil }
                return String(line.dropFirst(prefix.count))
            }.first
        }
    }
}

/// Processes of this program that have ended and were not collected, besides our session's own.
func zombies() -> [String] {
    ProcFile.entries("/proc").compactMap { name in
        guard let pid = Int32(name), let stat = ProcFile.text("/proc/\(pid)/stat"),
            let end = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        let isOurs = fields[1] == "\(getpid())" && fields[3] != "\(getsid(0))"
        return fields[0] == "Z" && isOurs ? stat : nil
    }
}

/// Whether something becomes true within 20 seconds that no event tells of.
func waitUntil(_ isTrue: () -> Bool) -> Bool {
    let deadline = DispatchTime.now() + .seconds(20)
    while DispatchTime.now() < deadline {
        if isTrue() { return true }
        sched_yield()
    }
    return isTrue()
}

func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

/// A program that listens on its socket, or port, prints `listening`, and never answers.
let listener = [
    "python3", "-c",
    """
    import os, signal, socket
    if "MOORING_SOCKET" in os.environ:
        s = socket.socket(socket.AF_UNIX)
        s.bind(os.environ["MOORING_SOCKET"])
        s.listen()
    else:
        s = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    print("listening", flush=True)
    while True:
        signal.pause()
    """,
]
