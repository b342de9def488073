internal import Backends
internal import Reactor
internal import Settings
internal import Testing

@testable internal import ReverseProxy

/// No byte of one request or response is taken for part of another.
@Suite struct ExchangeBoundaryTests {
    private static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func `the rest of an upload that was answered early is no request`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.connect()
        client.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
        #expect(client.say(100_000, of: UInt8(ascii: "x")) == 100_000)
        fixture.run()
        let process = try fixture.accept()
        _ = process.hear()
        process.say(WorkerFixture.answer)
        fixture.run()
        client.say(Self.smuggled)
        fixture.run()
        let response = client.hear()
        #expect(response.lowercased().contains("connection: close"))
        #expect(response.hasSuffix("ok"))
        #expect(!process.hear().contains("smuggled"), "its connection carries no other request")
        #expect(fixture.isLeftAlone)
    }

    @Test func `bytes behind a length are the next request, and none of the body`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.connect()
        client.say("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" + WorkerFixture.get)
        fixture.run()
        let process = try fixture.accept()
        #expect(process.hear().hasSuffix("\r\n\r\nhi"))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(process.hear().hasPrefix("GET /a HTTP/1.1\r\n"))
    }

    @Test func `two clients at once have each the answer to its own request`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 2 })
        let (one, forOne) = try fixture.begin("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        let (other, forOther) = try fixture.begin("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        forOther.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nt")
        forOne.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\no")
        fixture.run()
        forOne.say("ne")
        forOther.say("wo")
        fixture.run()
        #expect(one.hear().hasSuffix("\r\n\r\none"))
        #expect(other.hear().hasSuffix("\r\n\r\ntwo"))
    }

    @Test func `a body that is sent again is sent from its beginning`() throws {
        let fixture = try WorkerFixture()
        let request = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab"
        let client = try fixture.send(request)
        client.say("cd")
        fixture.run()
        let first = try fixture.accept()
        #expect(first.hear().hasSuffix("\r\n\r\nabcd"))
        first.close()
        fixture.run()
        let again = try fixture.accept().hear()
        #expect(again.hasPrefix("PUT / HTTP/1.1\r\n"))
        #expect(again.hasSuffix("\r\n\r\nabcd"))
    }

    @Test func `a body in chunks that turns out bad is not ended for its process`() throws {
        let fixture = try WorkerFixture { $0.limits.requestBuffer = 0 }
        let (client, process) = try fixture.begin(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        client.say("zz\r\n" + Self.smuggled)
        fixture.run()
        let rest = process.hear()
        #expect(!rest.contains("0\r\n\r\n"))
        #expect(!rest.contains("smuggled"))
        #expect(process.hasEnded)
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 400 "))
        #expect(client.hasEnded)
        #expect(fixture.slotsTaken <= 1)
        process.close()
        client.close()
        fixture.run()
        #expect(fixture.leftovers == [])
    }

    @Test func `a deadline is not inherited by the next connection at its index`()
        throws
    {
        let fixture = try WorkerFixture()
        let first = try fixture.send("GET / HT")
        let entry = try #require(fixture.owners.downstreams.takenEntries().first)
        let due = fixture.owners.downstreams[entry].deadline
        first.close()
        fixture.run()
        let second = try fixture.connect()
        #expect(fixture.owners.downstreams.takenEntries() == [entry])
        #expect(
            fixture.owners.downstreams[entry].deadline > due, "it has a longer time than a head")
        fixture.owners.deadlines.schedule(client: entry, at: fixture.owners.loop.now)
        fixture.remind()
        second.say(WorkerFixture.get)
        fixture.run()
        #expect(try fixture.accept().hear().hasPrefix("GET /a "))
        #expect(fixture.owners.deadlines.next != nil, "an entry that came too early is put back")
    }
}
