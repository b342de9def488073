internal import Backends
internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// What Mooring answers by itself: once, and nothing of a process's answer behind it.
@Suite struct OwnAnswersTests {
    private static let page = "GET /a HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n"

    private static func heads(_ text: String) -> Int { text.ranges(of: "HTTP/1.1 ").count }

    /// The index of the connection that carries an exchange.
    private static func busy(_ fixture: WorkerFixture) throws -> Int {
        try #require(
            fixture.owners.upstreams.takenEntries().first {
                fixture.owners.upstreams[$0].phase == .busy
            })
    }

    @Test func `an answer that comes too late reaches no client`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        fixture.expire(process: try Self.busy(fixture))
        #expect(client.hear().hasPrefix("HTTP/1.1 504 "))
        process.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        fixture.run()
        #expect(client.hear().isEmpty)
        client.say(WorkerFixture.get)
        fixture.run()
        let next = try fixture.accept()
        next.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
        #expect(fixture.leftovers == [])
    }

    @Test func `behind interim heads there is one answer`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        process.say("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        fixture.run()
        process.close()
        fixture.run()
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 103 "))
        #expect(response.contains("HTTP/1.1 502 "))
        #expect(Self.heads(response) == 2)
    }

    @Test func `a response that breaks off midway is not answered for on top`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        fixture.run()
        fixture.expire(process: try Self.busy(fixture))
        let response = client.hear()
        #expect(Self.heads(response) == 1)
        #expect(response.hasSuffix("ab"))
        #expect(client.hasEnded)
    }

    @Test func `an answer to HEAD has a length and no body`() throws {
        let fixture = try WorkerFixture { $0.routeSettings[0].pages[503] = Array("page".utf8) }
        let client = try fixture.connect()
        fixture.stopListening()
        client.say("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        fixture.run()
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 50"))
        #expect(response.lowercased().contains("content-length: "))
        #expect(response.hasSuffix("\r\n\r\n"))
        #expect(!client.hasEnded)
    }

    @Test func `a body that is too large is refused unread, and its connection ends`() throws {
        let fixture = try WorkerFixture { $0.limits.requestBody = 3 }
        let client = try fixture.connect()
        client.say(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n" + WorkerFixture.get)
        fixture.run()
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 413 "))
        #expect(Self.heads(response) == 1, "what is in the body is no request")
        #expect(client.hasEnded)
        #expect(fixture.isLeftAlone)
    }

    @Test func `a body in chunks that grows too large is refused before a process has it`() throws {
        let fixture = try WorkerFixture { $0.limits.requestBody = 3 }
        let client = try fixture.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        #expect(client.hear().isEmpty)
        client.say("2\r\ncd\r\n")
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 413 "))
        #expect(fixture.isLeftAlone)
        client.close()
        fixture.run()
        #expect(fixture.leftovers == [])
    }

    @Test func `a route's own page takes the entry of ours for those who read pages`() throws {
        let fixture = try WorkerFixture(
            { $0.routeSettings[0].pages[503] = Array("<p>later".utf8) },
            policy: { $0.queueLimit = 0 })
        let (holder, process) = try fixture.begin()
        let reader = try fixture.connect()
        reader.say(Self.page + "\r\n")
        let program = try fixture.send(WorkerFixture.get)
        #expect(reader.hear().hasSuffix("\r\n\r\n<p>later"))
        #expect(!program.hear().contains("<p>later"))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(holder.hear().hasSuffix("ok"))
    }

    // MARK: The page for those who wait

    /// A visitor who is shown that there is something to wait for.
    private static func shownPage(
        _ fixture: WorkerFixture, _ request: String = page + "\r\n"
    ) throws -> (client: Peer, response: String) {
        let client = try fixture.send(request)
        let entry = try #require(
            fixture.owners.downstreams.takenEntries().last {
                fixture.owners.downstreams[$0].deadline < .max
            })
        fixture.expire(client: entry)
        return (client, client.hear())
    }

    @Test func `a visitor who waits is shown a page and keeps the entry in the queue`() throws {
        let fixture = try WorkerFixture()
        let (holder, process) = try fixture.begin()
        let (client, response) = try Self.shownPage(fixture)
        #expect(response.hasPrefix("HTTP/1.1 503 "))
        let value = try #require(
            response.split(separator: "Set-Cookie: mooring=").last?.prefix(56))
        #expect(fixture.queued == 1)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(holder.hear().hasSuffix("ok"))
        #expect(fixture.queued == 0)
        #expect(fixture.slotsTaken == 0, "the turn makes a session, and no request holds the slot")
        client.say(Self.page + "Cookie: mooring=\(value)\r\n\r\n")
        fixture.run()
        #expect(process.hear().lowercased().contains("mooring-session: "))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
        #expect(fixture.leftovers == [])
    }

    @Test func `a program that waits is not shown a page`() throws {
        let fixture = try WorkerFixture()
        let (holder, process) = try fixture.begin()
        let (client, response) = try Self.shownPage(fixture, WorkerFixture.get)
        #expect(response.isEmpty)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(holder.hear().hasSuffix("ok"))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
    }
}
