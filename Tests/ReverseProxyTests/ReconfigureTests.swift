internal import Backends
internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// A reload while requests are under way: each ends as it began, and the next goes by what is new.
@Suite struct ReconfigureTests {
    private static func reload(
        _ fixture: WorkerFixture, _ change: (inout ProxySettings) -> Void
    ) {
        var settings = fixture.owners.plan.settings
        change(&settings)
        fixture.owners.shared.shares[0].mailbox.post(
            .reconfigure(
                Reconfiguration(settings: settings, groups: [fixture.group], listeners: [nil])))
        fixture.run()
    }

    private static func rename(_ fixture: WorkerFixture, _ name: String) {
        reload(fixture) {
            $0.routeSettings[0].affinity.cookie = CookieAttributes(name: name)
        }
    }

    /// The next response on a connection.
    private static func next(
        _ client: Peer, _ process: Peer, _ fixture: WorkerFixture,
        _ request: String = WorkerFixture.get
    ) -> String {
        client.say(request)
        fixture.run()
        _ = process.hear()
        process.say(WorkerFixture.answer)
        fixture.run()
        return client.hear()
    }

    @Test func `a request whose route is gone is answered, and the next finds none`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        Self.reload(fixture) {
            $0.routes = RouteTable([])
            $0.routeSettings = []
        }
        process.say(WorkerFixture.answer)
        fixture.run()
        let response = client.hear()
        #expect(response.contains("Set-Cookie: mooring="))
        #expect(response.hasSuffix("ok"))
        client.say(WorkerFixture.get)
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 404 "))
        #expect(fixture.leftovers == [])
    }

    @Test func `two reloads during one request change nothing about it`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        Self.rename(fixture, "second")
        Self.rename(fixture, "third")
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().contains("Set-Cookie: mooring="))
        #expect(Self.next(client, process, fixture).contains("Set-Cookie: third="))
    }

    @Test func `what a connection remembers of a cookie does not outlive its key`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say(WorkerFixture.answer)
        fixture.run()
        let response = client.hear()
        let value = try #require(
            response.split(separator: "Set-Cookie: mooring=").last?.prefix(56))
        let request = "GET /a HTTP/1.1\r\nHost: a\r\nCookie: mooring=\(value)\r\n\r\n"
        #expect(!Self.next(client, process, fixture, request).contains("Set-Cookie"))
        Self.reload(fixture) {
            $0.keyring = Keyring(firstKey: [UInt8](repeating: 2, count: 32))
        }
        #expect(Self.next(client, process, fixture, request).contains("Set-Cookie: mooring="))
        let counters = fixture.owners.counters
        #expect(counters[.verdictValid] == 1)
        #expect(counters[.verdictNone] == 1)
    }

    @Test func `a kept connection of a listener that was taken away goes on`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say(WorkerFixture.answer)
        fixture.run()
        _ = client.hear()
        Self.reload(fixture) { $0.listeners = [nil] }
        #expect(Self.next(client, process, fixture).hasSuffix("ok"))
    }

    @Test func `a connection that arrives from a listener that was taken away is closed`() throws {
        let fixture = try WorkerFixture()
        Self.reload(fixture) { $0.listeners = [nil] }
        let client = try fixture.connect()
        fixture.run()
        #expect(client.hear().isEmpty)
        #expect(client.hasEnded)
        #expect(fixture.owners.downstreams.takenEntries().isEmpty)
    }

    @Test func `a limit that was lowered holds for the next request`() throws {
        let fixture = try WorkerFixture()
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd"
        let (client, process) = try fixture.begin(post)
        Self.reload(fixture) { $0.limits.requestBody = 3 }
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
        client.say(post)
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 413 "))
    }
}
