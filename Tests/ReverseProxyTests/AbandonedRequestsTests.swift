internal import Testing

@testable internal import ReverseProxy

/// A process may work on for a client that has left: its slot is taken for exactly as long.
@Suite struct AbandonedRequestsTests {
    /// A process that has the request of a client that has left.
    private static func abandoned(
        _ fixture: WorkerFixture, _ request: String = WorkerFixture.get
    ) throws -> Peer {
        let (client, process) = try fixture.begin(request)
        client.close()
        fixture.run()
        #expect(fixture.slotsTaken == 1)
        return process
    }

    private static func say(_ text: String, _ process: Peer, _ fixture: WorkerFixture) {
        process.say(text)
        fixture.run()
    }

    @Test func `half an answer keeps the slot and the rest of it gives it back`() throws {
        let fixture = try WorkerFixture()
        let process = try Self.abandoned(fixture)
        Self.say("HTTP/1.1 200 OK\r\nContent-", process, fixture)
        #expect(fixture.slotsTaken == 1)
        Self.say("Length: 4\r\n\r\nab", process, fixture)
        #expect(fixture.slotsTaken == 1)
        Self.say("cd", process, fixture)
        #expect(fixture.leftovers == [])
    }

    @Test func `an interim head is no answer`() throws {
        let fixture = try WorkerFixture()
        let process = try Self.abandoned(fixture)
        Self.say("HTTP/1.1 103 Early Hints\r\n\r\n", process, fixture)
        #expect(fixture.slotsTaken == 1)
        Self.say("HTTP/1.1 204 No Content\r\n\r\n", process, fixture)
        #expect(fixture.leftovers == [])
    }

    @Test func `a response to HEAD is whole with its head`() throws {
        let fixture = try WorkerFixture()
        let process = try Self.abandoned(fixture, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        Self.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", process, fixture)
        #expect(fixture.leftovers == [])
    }

    @Test func `a client that leaves midway leaves the rest of the response to be awaited`() throws
    {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        Self.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab", process, fixture)
        client.close()
        fixture.run()
        Self.say("cd", process, fixture)
        #expect(fixture.slotsTaken == 1)
        Self.say("ef", process, fixture)
        #expect(fixture.leftovers == [])
    }

    @Test func `what is no response keeps the slot until its connection ends`() throws {
        let fixture = try WorkerFixture()
        let process = try Self.abandoned(fixture)
        Self.say("hello\r\n\r\n", process, fixture)
        #expect(fixture.slotsTaken == 1)
        process.close()
        fixture.run()
        #expect(fixture.leftovers == [])
    }

    @Test func `a process that goes on and on is not listened to for ever`() throws {
        let fixture = try WorkerFixture()
        let process = try Self.abandoned(fixture)
        Self.say("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", process, fixture)
        #expect(process.say(100_000, of: UInt8(ascii: "x")) == 100_000)
        fixture.run()
        _ = process.hear()
        #expect(process.hasEnded)
        #expect(fixture.leftovers == [])
    }

    @Test func `the mark of a cut-off body does not end the wait for its end`() throws {
        let fixture = try WorkerFixture()
        let process = try Self.abandoned(fixture)
        Self.say(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMooring-Break: 4141414141414141\r\n\r\n"
                + "8\r\nAAAAAAAA\r\n", process, fixture)
        #expect(fixture.slotsTaken == 1)
        Self.say("0\r\n\r\n", process, fixture)
        #expect(fixture.leftovers == [])
    }

    @Test(arguments: [true, false])
    func `a process is shown the end of a request where it knows what that means`(
        noticesClosing: Bool
    ) throws {
        let fixture = try WorkerFixture { $0.groups[0].noticesClosing = noticesClosing }
        let process = try Self.abandoned(fixture)
        _ = process.hear()
        #expect(process.hasEnded == noticesClosing)
    }

    @Test func `a process that neither answers nor ends has its time and no more`() throws {
        let fixture = try WorkerFixture()
        let process = try Self.abandoned(fixture)
        let entry = try #require(fixture.owners.upstreams.abandoned.keys.first)
        Self.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", process, fixture)
        fixture.expire(process: entry)
        #expect(fixture.leftovers == [])
        #expect(!fixture.owners.upstreams.isTaken(entry))
    }

    @Test func `at shutdown nothing waits for abandoned requests`() throws {
        let fixture = try WorkerFixture()
        let process = try Self.abandoned(fixture)
        fixture.drain(.end)
        _ = process.hear()
        #expect(process.hasEnded)
        #expect(fixture.leftovers == [])
    }
}
