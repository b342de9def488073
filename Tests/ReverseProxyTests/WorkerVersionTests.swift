internal import Backends
internal import Testing

@testable internal import ReverseProxy

/// What differs by the version, the method and the size of a request.
@Suite struct WorkerVersionTests {
    /// A client whose request has reached its process.
    private static func begin(
        _ fixture: WorkerFixture, _ request: String
    ) throws -> (client: Peer, process: Peer, heard: String) {
        let client = try fixture.send(request)
        let process = try fixture.accept()
        return (client, process, process.hear())
    }

    private static func field(_ name: String, in text: String) -> String? {
        text.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).drop { $0 == " " }.lowercased() }
    }

    @Test func `a client of HTTP1 dot 0 gets a body without a length until its connection ends`()
        throws
    {
        let fixture = try WorkerFixture()
        let (client, process, _) = try Self.begin(fixture, "GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        process.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        fixture.run()
        let response = client.hear()
        #expect(response.hasSuffix("\r\n\r\nabc"))
        #expect(Self.field("transfer-encoding", in: response) == nil)
        #expect(client.hasEnded)
    }

    @Test func `a response to HEAD has a length and no body, and the next request follows`() throws
    {
        let fixture = try WorkerFixture()
        let (client, process, heard) = try Self.begin(
            fixture, "HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(heard.hasPrefix("HEAD /1 "))
        process.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        fixture.run()
        let response = client.hear()
        #expect(Self.field("content-length", in: response) == "5")
        #expect(response.hasSuffix("\r\n\r\n"))
        #expect(!client.hasEnded)
        client.say("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        fixture.run()
        let next = process.hear() + (fixture.acceptIfAny(at: 0)?.hear() ?? "")
        #expect(next.hasPrefix("GET /2 "))
    }

    @Test func `early hints go to clients that know them`() throws {
        for version in ["1.0", "1.1"] {
            let fixture = try WorkerFixture()
            let (client, process, _) = try Self.begin(
                fixture, "GET / HTTP/\(version)\r\nHost: a\r\n\r\n")
            process.say("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            fixture.run()
            #expect(client.hear().hasPrefix("HTTP/1.1 103 ") == (version == "1.1"))
            process.say("HTTP/1.1 204 No Content\r\n\r\n")
            fixture.run()
            #expect(client.hear().contains(" 204 "))
        }
    }

    @Test func `a body that is too large is refused before a process gets any of it`() throws {
        let fixture = try WorkerFixture { $0.limits.requestBody = 4 }
        let client = try fixture.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        #expect(client.hear().hasPrefix("HTTP/1.1 413 "))
        #expect(fixture.isLeftAlone)
        // Who goes on to send can read that, and is not cut off by a RST.
        client.say("abcde")
        fixture.run()
        #expect(client.hear().isEmpty)
        #expect(client.hasEnded)
    }

    @Test func `a body in chunks that turns out too large ends its request`() throws {
        let fixture = try WorkerFixture { $0.limits.requestBody = 4 }
        let client = try fixture.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        #expect(client.hear().isEmpty)
        client.say("3\r\ndef\r\n")
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 413 "))
        #expect(fixture.isLeftAlone)
    }

    @Test func `a process may answer before the upload is over, and the connection ends then`()
        throws
    {
        let fixture = try WorkerFixture { $0.limits.requestBuffer = 0 }
        let (client, process, heard) = try Self.begin(
            fixture, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        #expect(heard.hasSuffix("abc"))
        process.say("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
        fixture.run()
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 403 "))
        #expect(Self.field("connection", in: response) == "close")
        #expect(client.hasEnded)
    }

    @Test func `what the end of the program waits for is counted by its kind`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 1 })
        let (first, process, _) = try Self.begin(fixture, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let second = try fixture.connect()
        second.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let third = try fixture.connect()
        #expect(fixture.waiting[.request] == 1)
        #expect(fixture.waiting[.queued] == 1)
        #expect(fixture.waiting[.connection] == 1)
        for client in [first, second, third] { client.close() }
        process.close()
    }
}
