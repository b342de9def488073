internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// Deadlines of clients and processes, and what follows when they pass.
@Suite struct WorkerTimeoutTests {
    private static let soon = Interval.milliseconds(10)

    @Test func `a client that does not finish its head gets 408`() throws {
        let fixture = try WorkerFixture { $0.timeouts.header = Self.soon }
        let client = try fixture.connect()
        client.say("GET /a HT")
        let heard = try fixture.hear(client) { _ in client.hasEnded }
        #expect(heard.hasPrefix("HTTP/1.1 408 "))
    }

    @Test func `an idle connection ends without a word`() throws {
        let fixture = try WorkerFixture { $0.timeouts.keepalive = Self.soon }
        let client = try fixture.connect()
        let heard = try fixture.hear(client) { _ in client.hasEnded }
        #expect(heard.isEmpty)
        #expect(fixture.owners.downstreams.takenEntries().isEmpty)
    }

    @Test func `a client that stops in the middle of its body gets 408`() throws {
        let fixture = try WorkerFixture { $0.timeouts.bodyIdle = Self.soon }
        let client = try fixture.connect()
        client.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        let heard = try fixture.hear(client) { !$0.isEmpty }
        #expect(heard.hasPrefix("HTTP/1.1 408 "))
        #expect(fixture.isLeftAlone)
    }

    @Test func `for a process that does not answer there is an answer`() throws {
        let fixture = try WorkerFixture { $0.routeSettings[0].timeouts.response = Self.soon }
        let client = try fixture.send()
        let process = try fixture.accept()
        let heard = try fixture.hear(client) { !$0.isEmpty }
        #expect(heard.hasPrefix("HTTP/1.1 504 "))
        #expect(process.hear().hasPrefix("GET /a "))
    }

    @Test func `a response that does not go on is cut short`() throws {
        let fixture = try WorkerFixture { $0.routeSettings[0].timeouts.idle = Self.soon }
        let client = try fixture.send()
        let process = try fixture.accept()
        process.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        let heard = try fixture.hear(client) { _ in client.hasEnded }
        #expect(heard.hasPrefix("HTTP/1.1 200 "))
        #expect(heard.hasSuffix("\r\n\r\nab"))
    }

    @Test func `a tunnel in which nothing passes ends for both`() throws {
        let fixture = try WorkerFixture { $0.routeSettings[0].timeouts.tunnel = Self.soon }
        let (client, process) = try fixture.begin(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        process.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        try fixture.run {
            _ = client.hear()
            _ = process.hear()
            return client.hasEnded && process.hasEnded
        }
        #expect(fixture.owners.counters[.tunnels] == 0)
    }

    @Test func `a request that takes too long is answered, whatever its process does`() throws {
        let fixture = try WorkerFixture { $0.groups[0].requestTimeout = Self.soon }
        let client = try fixture.send()
        let process = try fixture.accept()
        let heard = try fixture.hear(client) { !$0.isEmpty }
        #expect(heard.hasPrefix("HTTP/1.1 504 "))
        _ = process.hear()
        #expect(process.hasEnded)
    }

    @Test func `a client whose process does not ask for its body is asked in its name`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin(
            "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        let heard = try fixture.hear(client) { !$0.isEmpty }
        #expect(heard == "HTTP/1.1 100 Continue\r\n\r\n")
        client.say("hi")
        fixture.run()
        #expect(process.hear() == "hi")
    }
}
