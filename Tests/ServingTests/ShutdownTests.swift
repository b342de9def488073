internal import Glibc
internal import Testing

@testable internal import Serving

@Suite struct ShutdownTests {
    typealias Stage = Shutdown.Stage
    typealias Event = Shutdown.Event
    typealias Order = Shutdown.Order

    /// How each stage is come to.
    private static let ways: [Stage: [Event]] = [
        .serving: [],
        .draining: [.terminate],
        .leaving: [.leave],
        .stopping: [.terminate, .drained],
        .killing: [.terminate, .terminate],
        .closing: [.leave, .drained],
    ]

    /// Everything that an event leads to; what is not here changes nothing and orders nothing.
    private static let moves: [Stage: [Event: (Stage, Order)]] = [
        .serving: [
            .terminate: (.draining, .drain), .leave: (.leaving, .leave),
            .reload: (.serving, .reload), .reopenLogs: (.serving, .reopenLogs),
            .nothingToServe: (.killing, .killProcesses),
        ],
        .draining: [
            .terminate: (.killing, .killProcesses), .reopenLogs: (.draining, .reopenLogs),
            .drained: (.stopping, .stopProcesses),
        ],
        .leaving: [
            .terminate: (.closing, .close), .reopenLogs: (.leaving, .reopenLogs),
            .drained: (.closing, .close),
        ],
        .stopping: [
            .terminate: (.killing, .killProcesses), .reopenLogs: (.stopping, .reopenLogs),
            .processesGone: (.closing, .close),
        ],
        .killing: [
            .reopenLogs: (.killing, .reopenLogs), .processesGone: (.closing, .close),
        ],
        .closing: [.reopenLogs: (.closing, .reopenLogs)],
    ]

    private static func shutdown(after events: [Event]) -> Shutdown {
        var shutdown = Shutdown()
        for event in events { _ = shutdown.handle(event) }
        return shutdown
    }

    @Test(arguments: Stage.allCases, Event.allCases)
    func `every event in every stage leads where it has to`(_ stage: Stage, _ event: Event) throws {
        var shutdown = Self.shutdown(after: try #require(Self.ways[stage]))
        #expect(shutdown.stage == stage)
        let (next, order) = Self.moves[stage]?[event] ?? (stage, .none)
        #expect(shutdown.handle(event) == order)
        #expect(shutdown.stage == next)
    }

    private static let ends: [(events: [Event], code: Int32)] = [
        ([.terminate, .drained, .processesGone], 0),
        ([.leave, .drained], 0),
        ([.terminate, .terminate, .processesGone], 1),
        ([.terminate, .drained, .terminate, .processesGone], 1),
        ([.leave, .terminate], 1),
        ([.nothingToServe, .processesGone], 1),
    ]

    @Test(arguments: ends)
    func `the exit code is 1 where something was cut off`(_ events: [Event], _ code: Int32) {
        let shutdown = Self.shutdown(after: events)
        #expect(shutdown.stage == .closing)
        #expect(shutdown.exitCode == code)
    }

    @Test func `the end waits for clients first and for processes then`() {
        #expect(Self.shutdown(after: []).wait == .nothing)
        #expect(Self.shutdown(after: [.terminate]).wait == .clients)
        #expect(Self.shutdown(after: [.leave]).wait == .clients)
        #expect(Self.shutdown(after: [.terminate, .drained]).wait == .processes)
        #expect(Self.shutdown(after: [.terminate, .terminate]).wait == .processes)
        #expect(Self.shutdown(after: [.leave, .drained]).wait == .nothing)
    }

    @Test func `every signal of the manual has its event and others have none`() {
        let signals = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2]
        let events: [Event] = [.terminate, .terminate, .reload, .reopenLogs, .leave]
        #expect(signals.map(Event.init(signal:)) == events)
        for signal: Int32 in [SIGCHLD, SIGPIPE, SIGWINCH, 0, -1] {
            #expect(Event(signal: signal) == nil)
        }
    }
}
