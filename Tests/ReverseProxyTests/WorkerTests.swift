internal import Testing

@testable internal import ReverseProxy

/// Whole requests through one loop: from a client's bytes to its process and back.
@Suite struct WorkerTests {
    /// What is behind the head.
    private static func body(_ response: String) -> String {
        response.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
    }

    @Test func `a request goes to the process and its response to the client`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send()
        let process = try fixture.accept()
        let request = process.hear()
        #expect(request.hasPrefix("GET /a HTTP/1.1\r\n"))
        #expect(request.contains("Mooring-Session: "))
        process.say(WorkerFixture.answer)
        fixture.run()
        let response = client.hear()
        #expect(response.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(response.contains("Set-Cookie: mooring="))
        #expect(Self.body(response) == "ok")
        #expect(fixture.owners.exchanges.slab.count == 0)
        #expect(fixture.owners.buffers.blocksInUse == 0)
    }

    @Test func `both connections are kept for the next request`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send()
        let process = try fixture.accept()
        for _ in 0..<3 {
            _ = process.hear()
            process.say(WorkerFixture.answer)
            fixture.run()
            #expect(Self.body(client.hear()) == "ok")
            client.say(WorkerFixture.get)
            fixture.run()
        }
        #expect(fixture.isLeftAlone)
        #expect(!client.hasEnded)
    }

    @Test func `requests that were sent ahead are answered in their order`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        let process = try fixture.accept()
        #expect(process.hear().hasPrefix("GET /1 "))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(process.hear().hasPrefix("GET /2 "))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().components(of: "HTTP/1.1 200 OK") == 2)
    }

    @Test func `answers of Mooring's own let the next request come`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.connect()
        let options = "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n"
        client.say(options + options + WorkerFixture.get)
        fixture.run()
        #expect(client.hear().components(of: "HTTP/1.1 200") == 2)
        #expect(try fixture.accept().hear().hasPrefix("GET /a "))
    }

    @Test func `a head that is none is answered and ends the connection`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send("GET /\u{1} HTTP/1.1\r\n\r\n")
        #expect(client.hear().hasPrefix("HTTP/1.1 400 "))
        #expect(client.hasEnded)
        client.close()
        fixture.run()
        #expect(fixture.owners.downstreams.takenEntries().isEmpty)
    }

    // MARK: Attempts

    @Test func `a kept connection that has ended is replaced without the client's knowing`() throws
    {
        let fixture = try WorkerFixture()
        let client = try fixture.send()
        let first = try fixture.accept()
        _ = first.hear()
        first.say(WorkerFixture.answer)
        fixture.run()
        _ = client.hear()
        client.say(WorkerFixture.get)
        // Both are seen in the same turn.
        first.close()
        fixture.run()
        let second = try fixture.accept()
        #expect(second.hear().hasPrefix("GET /a "))
        second.say(WorkerFixture.answer)
        fixture.run()
        #expect(Self.body(client.hear()) == "ok")
    }

    @Test func `a request that may be repeated is, once, when its process breaks off`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send()
        for _ in 0..<2 {
            let process = try fixture.accept()
            #expect(process.hear().hasPrefix("GET /a "))
            process.close()
            fixture.run()
        }
        #expect(fixture.isLeftAlone)
        #expect(client.hear().hasPrefix("HTTP/1.1 502 "))
    }

    @Test func `a request that may not be repeated is answered when its process breaks off`() throws
    {
        let fixture = try WorkerFixture()
        let client = try fixture.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        let process = try fixture.accept()
        #expect(Self.body(process.hear()) == "hi")
        process.close()
        fixture.run()
        #expect(fixture.isLeftAlone)
        #expect(client.hear().hasPrefix("HTTP/1.1 502 "))
    }

    @Test func `a process that takes no connection is asked for no more than there are retries`()
        throws
    {
        let fixture = try WorkerFixture { $0.groups[0].retries = 3 }
        fixture.stopListening()
        let client = try fixture.send()
        #expect(client.hear().hasPrefix("HTTP/1.1 50"))
        #expect(fixture.owners.upstreams.takenEntries().isEmpty)
    }

    @Test func `a response that is none is answered for`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say("hello\r\n\r\n")
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 502 "))
        _ = process.hear()
        #expect(process.hasEnded)
    }

    // MARK: Bodies

    @Test func `a body that trickles in holds no process until it is whole`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        #expect(fixture.isLeftAlone)
        client.say("cd")
        fixture.run()
        #expect(Self.body(try fixture.accept().hear()) == "abcd")
    }

    @Test func `a body in chunks that is kept as a whole is sent with its length`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        client.say("1\r\nc\r\n0\r\n\r\n")
        fixture.run()
        let request = try fixture.accept().hear()
        #expect(request.lowercased().contains("content-length: 3\r\n"))
        #expect(Self.body(request) == "abc")
    }

    @Test func `an expectation goes to the process and its invitation to the client`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.send(
            "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        let process = try fixture.accept()
        #expect(process.hear().lowercased().contains("expect: 100-continue"))
        process.say("HTTP/1.1 100 Continue\r\n\r\n")
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 100 "))
        client.say("hi")
        fixture.run()
        #expect(process.hear() == "hi")
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(Self.body(client.hear()) == "ok")
    }

    @Test func `a response that ends with its connection reaches the client in chunks`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say("HTTP/1.1 200 OK\r\n\r\nabc")
        fixture.run()
        process.close()
        fixture.run()
        #expect(Self.body(client.hear()) == "3\r\nabc\r\n0\r\n\r\n")
        #expect(!client.hasEnded)
    }

    @Test func `a response that is cut short has no clean end for the client`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        fixture.run()
        process.close()
        fixture.run()
        #expect(Self.body(client.hear()) == "3\r\nabc\r\n")
        #expect(client.hasEnded)
    }

    @Test func `a client that does not read holds its process back, and loses nothing`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        let length = 16_000_000
        process.say("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n")
        var said = 0
        var taken = 1
        while taken > 0 {
            taken = process.say(length - said, of: UInt8(ascii: "~"))
            said += taken
            fixture.run()
        }
        #expect(said < length, "the process is held back")
        var heard = 0
        while heard < length {
            let text = client.hear()
            try #require(!text.isEmpty)
            heard += text.utf8.count { $0 == UInt8(ascii: "~") }
            fixture.run()
            said += process.say(length - said, of: UInt8(ascii: "~"))
            fixture.run()
        }
        #expect(heard == length)
        #expect(fixture.owners.buffers.blocksInUse == 0)
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
