internal import Testing

@testable internal import ReverseProxy

/// A response that breaks off never looks whole to its client, and spoils no other.
@Suite struct BrokenResponseTests {
    private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    /// Eight times the letter A.
    private static let announcement = "Mooring-Break: 4141414141414141\r\n"
    private static let mark = "8\r\nAAAAAAAA\r\n"
    private static let end = "0\r\n\r\n"

    /// What a client hears of a response whose pieces come one by one, and whether that was all.
    private static func heard(
        _ pieces: [String], closes: Bool = true, request: String = WorkerFixture.get
    ) throws -> (response: String, hasEnded: Bool, left: [String]) {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin(request)
        for piece in pieces {
            process.say(piece)
            fixture.run()
        }
        if closes { process.close() }
        fixture.run()
        let response = client.hear()
        #expect(fixture.isLeftAlone, "what has been answered in part is not asked again")
        #expect(fixture.owners.upstreams.takenEntries().isEmpty, "nor is its connection used again")
        return (response, client.hasEnded, fixture.leftovers)
    }

    @Test func `a body that its server marks as broken has no end for the client`() throws {
        let (response, hasEnded, left) = try Self.heard(
            [Self.chunked + Self.announcement + "\r\n2\r\nab\r\n" + Self.mark + Self.end],
            closes: false)
        #expect(response.hasSuffix("\r\n\r\n2\r\nab\r\n"))
        #expect(hasEnded)
        #expect(left == [])
    }

    @Test func `a mark that comes in pieces is one all the same`() throws {
        let (response, hasEnded, _) = try Self.heard(
            [
                Self.chunked + Self.announcement + "\r\n2\r\nab\r\n8\r\nAAA", "AAAA",
                "A\r\n" + Self.end,
            ], closes: false)
        #expect(!response.hasSuffix(Self.end))
        #expect(hasEnded)
    }

    @Test func `the mark is not sent to clients`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say(Self.chunked + Self.announcement + "\r\n2\r\nab\r\n" + Self.end)
        fixture.run()
        let response = client.hear()
        #expect(!response.lowercased().contains("mooring-break"))
        #expect(response.hasSuffix("2\r\nab\r\n" + Self.end))
    }

    @Test func `the mark of one response means nothing in the next of the connection`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say(Self.chunked + Self.announcement + "\r\n2\r\nab\r\n" + Self.end)
        fixture.run()
        _ = client.hear()
        client.say(WorkerFixture.get)
        fixture.run()
        #expect(process.hear().hasPrefix("GET /a "), "both connections are kept")
        process.say(Self.chunked + "\r\n" + Self.mark + Self.end)
        fixture.run()
        #expect(client.hear().hasSuffix(Self.mark + Self.end))
        #expect(!client.hasEnded)
    }

    @Test func `a body shorter than was announced ends with its connection`() throws {
        let (response, hasEnded, left) = try Self.heard(
            ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"])
        #expect(response.hasSuffix("\r\n\r\nab"))
        #expect(hasEnded)
        #expect(left == [])
    }

    @Test func `chunks that are none break the response off`() throws {
        let (response, hasEnded, left) = try Self.heard(
            [Self.chunked + "\r\n2\r\nab\r\nzz\r\n"], closes: false)
        #expect(response.hasSuffix("2\r\nab\r\n"))
        #expect(hasEnded)
        #expect(left == [])
    }

    @Test func `a connection that breaks is no end of a body without a length`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send(WorkerFixture.get)
        let process = try fixture.accept()
        process.say("HTTP/1.0 200 OK\r\n\r\nab")
        // Bytes that were not read make the close a reset.
        process.close()
        fixture.run()
        #expect(!client.hear().hasSuffix(Self.end))
        #expect(client.hasEnded)
    }

    @Test func `half a head is no response`() throws {
        let (response, _, _) = try Self.heard(
            ["HTTP/1.1 200 OK\r\nContent-Le"],
            request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(response.hasPrefix("HTTP/1.1 502 "))
        #expect(!response.contains("200 OK"))
    }
}
