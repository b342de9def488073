internal import AdminAPI
internal import Backends
internal import ConfigFile
internal import Logging
internal import Settings
internal import Synchronization
internal import Testing

@testable internal import Serving

@Suite struct EventLogTests {
    /// What was logged, one text each.
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }
        func append(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let facts = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted()
            lines.append("\(event.level) \(event.message) \(facts.joined(separator: " "))")
        }
    }

    /// Keeps the processes that a group wants to start.
    private final class Executor: OrderExecutor {
        private let started = Mutex<[ProcessHandle]>([])

        var handles: [ProcessHandle] { started.withLock { $0 } }
        func carryOut(_ orders: [TrafficOrder], group: Int) {}
        func carryOut(_ orders: [SupervisionOrder], group: Int) {
            for case .spawn(let handle, _, _) in orders { started.withLock { $0.append(handle) } }
        }
        func record(_ events: [RegistryEvent], group: Int) {}
        func deadlineMovedForward(group: Int) {}
    }

    private let lines = Lines()
    private let executor = Executor()
    private let time = MonotonicInstant(nanoseconds: 0)

    private func eventLog(_ observer: @escaping @Sendable (RegistryEvent) -> Void = { _ in })
        -> EventLog
    {
        let lines = lines
        return EventLog(
            log: Logger(label: "test") { _ in Handler(lines: lines) }, decisions: DecisionLog(),
            observer: observer)
    }

    private func group() throws -> Group {
        let policy = try configuration("[group.shop]\ncommand = [\"shop\"]\n").groups[0].policy
        return Group(index: 0, policy: policy, seed: 1, executor: executor, now: time)
    }

    @Test func `a process is named in the log until it is gone, and in that line too`() throws {
        let (events, group) = (eventLog(), try group())
        group.start(now: time)
        let process = try #require(executor.handles.first)
        group.spawned(
            process, incarnation: Incarnation(1), label: "k3f9abcd", pid: 4711,
            address: .unix(path: "/run/a.sock"), now: time)
        events.record([.ready(process, after: .milliseconds(210))], group: group, index: 0)
        group.exited(process, ExitReport(reason: "exited with status 1"), now: time)
        let report = ExitReport(reason: "exited with status 1")
        events.record([.gone(process, .exited, report)], group: group, index: 0)
        events.record([.up(process)], group: group, index: 0)
        #expect(lines.all.count == 3)
        #expect(
            lines.all.first
                == "info process is ready after=0.21s group=shop pid=4711 process=k3f9abcd")
        #expect(
            lines.all.dropFirst().first
                == "warning process ended by itself: exited with status 1"
                + " group=shop pid=4711 process=k3f9abcd")
        #expect(lines.all.last?.contains("k3f9abcd") == false)
    }

    @Test func `the observer gets every event after the log`() throws {
        let lines = lines
        let events = eventLog { _ in lines.append("observed") }
        let process = ProcessHandle(index: 0, serial: 1)
        events.record(
            [.recovered, .draining(process, .exited)], group: try group(), index: 0)
        #expect(lines.all.map { $0 == "observed" } == [false, true, false, true])
    }
}
