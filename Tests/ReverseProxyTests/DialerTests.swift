internal import Backends
internal import Exchanges
internal import Foundation
internal import Reactor
internal import Testing

@testable internal import ReverseProxy

@Suite struct DialerTests {
    private static let process = ProcessHandle(index: 0, serial: 1)

    /// A process's address in a folder of its own, and what connects to it.
    private final class Site {
        let fixture: LoopFixture
        let dialer: Dialer
        let path: String
        private let folder: String

        init(upstreams: Int = 8) throws {
            fixture = try LoopFixture()
            var settings = fixture.owners.plan.settings
            settings.upstreams = upstreams
            fixture.owners.plan.replace(settings, groups: [], routes: RoutePlans(settings))
            dialer = Dialer(fixture.owners)
            let name = "dialer-\(UUID().uuidString.prefix(8))"
            folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false)
            path = folder + "/s"
            _ = fixture.upstreams.pools.establish(
                DialerTests.process, group: 0, address: try .unix(path), label: "p")
        }

        deinit {
            fixture.upstreams.closeAll()
            try? FileManager.default.removeItem(atPath: folder)
        }

        func connect() -> ConnectStep {
            dialer.connect(
                to: DialerTests.process, group: 0, ConnectAttempt(exchange: 3, latest: .max))
        }

        /// How many descriptors are counted, up to the given number.
        var counted: Int {
            for limit in 1...8 where fixture.shared.takeUpstream(limit: limit) {
                fixture.shared.giveUpstream()
                return limit - 1
            }
            return 8
        }
    }

    /// The index of a connection that stands; nil: it does not.
    private static func ready(_ step: ConnectStep) -> Int? {
        if case .ready(let entry) = step { entry } else { nil }
    }

    private static func failure(_ step: ConnectStep) -> ConnectFailure? {
        if case .failed(let failure) = step { failure } else { nil }
    }

    @Test func `a connection that stands knows its exchange and takes its request`() throws {
        let site = try Site()
        let socket = try ListeningSocket(.unix(site.path))
        let entry = try #require(Self.ready(site.connect()))
        #expect(site.fixture.upstreams[entry].phase == .busy)
        #expect(site.fixture.upstreams[entry].exchange == 3)
        #expect(!site.fixture.upstreams[entry].reused)
        #expect(site.counted == 1)
        socket.close()
    }

    @Test func `a connection that is refused leaves nothing behind`() throws {
        let site = try Site()
        #expect(Self.failure(site.connect()) == .refused)
        #expect(site.fixture.upstreams.takenEntries().isEmpty)
        #expect(site.counted == 0)
        #expect(site.fixture.deadlines.next == nil)
    }

    @Test func `a full backlog is distinguished from a process that does not listen`() throws {
        let site = try Site()
        let socket = try ListeningSocket(.unix(site.path), backlog: 1)
        var steps: [ConnectStep] = []
        repeat { steps.append(site.connect()) } while Self.ready(steps[steps.count - 1]) != nil
        #expect(steps.last.flatMap(Self.failure) == .backlogFull)
        #expect(site.counted == steps.count - 1)
        socket.close()
    }

    @Test func `who waits for a backlog holds a entry and no descriptor`() throws {
        let site = try Site()
        let attempt = ConnectAttempt(exchange: 3, latest: site.fixture.loop.now + 5)
        let entry = try #require(
            site.dialer.postpone(to: Self.process, group: 0, after: .seconds(9), attempt))
        #expect(site.fixture.upstreams[entry].phase == .postponed)
        #expect(site.fixture.upstreams[entry].deadline == attempt.latest, "the request has its end")
        #expect(site.counted == 0)
        site.fixture.upstreams.close(entry)
        #expect(site.fixture.shared.takeUpstream(limit: 8))
        #expect(site.counted == 1, "it gave none back that it never had")
        site.fixture.shared.giveUpstream()
    }

    @Test func `at the limit of descriptors an idle connection gives way`() throws {
        let site = try Site(upstreams: 1)
        let socket = try ListeningSocket(.unix(site.path))
        let first = try #require(Self.ready(site.connect()))
        KeptConnections(site.fixture.owners).pool(first, keptFor: 0, awaitsSilence: false)
        let second = try #require(Self.ready(site.connect()))
        #expect(site.fixture.upstreams.takenEntries() == [second])
        #expect(site.counted == 1)
        socket.close()
    }

    @Test func `at the limit of descriptors nothing that is busy gives way`() throws {
        let site = try Site(upstreams: 1)
        let socket = try ListeningSocket(.unix(site.path))
        let first = try #require(Self.ready(site.connect()))
        #expect(Self.failure(site.connect()) == .noResources)
        #expect(site.fixture.upstreams.takenEntries() == [first])
        #expect(site.counted == 1)
        socket.close()
    }
}
