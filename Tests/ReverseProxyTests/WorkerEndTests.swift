internal import Backends
internal import Reactor
internal import Synchronization
internal import Testing

@testable internal import ReverseProxy

/// How requests and connections end when something else happens than an answer.
@Suite struct WorkerEndTests {
    // MARK: Slots and queues

    @Test func `who waits for a slot has its turn when the one before is served`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 1 })
        let (first, process) = try fixture.begin()
        let second = try fixture.send()
        #expect(fixture.isLeftAlone)
        #expect(process.hear().isEmpty)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(first.hear().hasSuffix("ok"))
        #expect(process.hear().hasPrefix("GET /a "))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(second.hear().hasSuffix("ok"))
    }

    @Test func `who has left the queue is not served`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 1 })
        let (first, process) = try fixture.begin()
        let second = try fixture.send()
        second.close()
        fixture.run()
        #expect(fixture.owners.exchanges.slab.count == 1)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(first.hear().hasSuffix("ok"))
        #expect(process.hear().isEmpty)
        #expect(fixture.isLeftAlone)
    }

    @Test func `who finds the queue full is refused`() throws {
        let fixture = try WorkerFixture(policy: {
            $0.threads = 1
            $0.queueLimit = 0
        })
        let (first, process) = try fixture.begin()
        let second = try fixture.send()
        #expect(second.hear().hasPrefix("HTTP/1.1 503 "))
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(first.hear().hasSuffix("ok"))
    }

    @Test func `a client that leaves takes its slot along only when the process is done`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 1 })
        let (first, process) = try fixture.begin()
        first.close()
        fixture.run()
        #expect(fixture.owners.exchanges.slab.count == 0)
        #expect(fixture.owners.upstreams.abandoned.count == 1)
        let second = try fixture.connect()
        second.say(WorkerFixture.get)
        fixture.run()
        #expect(fixture.isLeftAlone)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(fixture.owners.upstreams.abandoned.isEmpty)
        #expect(try fixture.accept().hear().hasPrefix("GET /a "))
    }

    // MARK: Tunnels

    private static func tunnel(_ fixture: WorkerFixture) throws -> (client: Peer, process: Peer) {
        let client = try fixture.connect()
        client.say(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        fixture.run()
        let process = try fixture.accept()
        _ = process.hear()
        process.say(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello")
        fixture.run()
        return (client, process)
    }

    @Test func `after a 101 bytes pass both ways`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture)
        let heard = client.hear()
        #expect(heard.hasPrefix("HTTP/1.1 101 "))
        #expect(heard.hasSuffix("hello"))
        client.say("ping")
        fixture.run()
        #expect(process.hear() == "ping")
        process.say("pong")
        fixture.run()
        #expect(client.hear() == "pong")
        #expect(fixture.owners.buffers.blocksInUse == 0)
        #expect(fixture.owners.counters[.tunnels] == 1)
    }

    @Test func `a tunnel ends when both sides have`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture)
        client.finish()
        fixture.run()
        _ = process.hear()
        #expect(process.hasEnded)
        process.say("last")
        process.finish()
        fixture.run()
        #expect(client.hear().hasSuffix("last"))
        #expect(client.hasEnded)
        #expect(fixture.owners.counters[.tunnels] == 0)
        #expect(fixture.owners.exchanges.slab.count == 0)
    }

    @Test func `a process that breaks off a tunnel ends it for the client`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture)
        process.close()
        fixture.run()
        _ = client.hear()
        #expect(client.hasEnded)
        client.close()
        fixture.run()
        #expect(fixture.owners.counters[.tunnels] == 0)
    }

    // MARK: Bytes out of turn

    @Test func `bytes that a process sends unasked reach no client`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say(WorkerFixture.answer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
        client.say(WorkerFixture.get)
        fixture.run()
        let next = try fixture.accept()
        next.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
    }

    // MARK: The end of the program

    @Test func `a drain ends idle connections and the others after their response`() throws {
        let fixture = try WorkerFixture()
        let (busy, process) = try fixture.begin()
        let idle = try fixture.connect()
        fixture.drain(.end)
        _ = idle.hear()
        #expect(idle.hasEnded)
        process.say(WorkerFixture.answer)
        fixture.run()
        let response = busy.hear()
        #expect(response.lowercased().contains("connection: close"))
        #expect(response.hasSuffix("ok"))
        #expect(busy.hasEnded)
    }

    @Test func `a drain ends an event stream with a clean end`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin()
        process.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        fixture.run()
        fixture.drain(.end)
        #expect(client.hear().hasSuffix("0\r\n\r\n"))
        #expect(fixture.owners.exchanges.slab.count == 0)
    }

    @Test func `a successor gets idle connections at once and the others behind their response`()
        throws
    {
        let moved = Mutex<[MovedConnection]>([])
        let fixture = try WorkerFixture()
        let (busy, process) = try fixture.begin()
        let idle = try fixture.connect()
        idle.say("GET /b HT")
        fixture.run()
        fixture.drain(.handOver { connection in moved.withLock { $0.append(connection) } })
        #expect(
            moved.withLock { $0.map { String(decoding: $0.unread, as: UTF8.self) } } == [
                "GET /b HT"
            ])
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(busy.hear().hasSuffix("ok"))
        #expect(!busy.hasEnded)
        #expect(moved.withLock { $0.count } == 2)
        #expect(fixture.owners.downstreams.takenEntries().isEmpty)
        for connection in moved.withLock({ $0 }) { connection.socket.close() }
    }

    // MARK: What comes before requests

    @Test func `the address in a PROXY header is the client's`() throws {
        let fixture = try WorkerFixture { $0.listeners[0]?.proxyProtocol = true }
        let client = try fixture.connect()
        client.say("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n" + WorkerFixture.get)
        fixture.run()
        let request = try fixture.accept().hear()
        #expect(request.contains("192.0.2.7"))
    }

    @Test func `a connection that does not begin with its PROXY header ends without an answer`()
        throws
    {
        let fixture = try WorkerFixture { $0.listeners[0]?.proxyProtocol = true }
        let client = try fixture.send()
        #expect(client.hear().isEmpty)
        #expect(client.hasEnded)
        #expect(fixture.owners.counters[.greetingsRefused] == 1)
    }

    @Test func `the preface of HTTP2 is answered with frames`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.connect()
        client.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        client.say("\u{0}\u{0}\u{0}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}")
        fixture.run()
        let frames = Array(client.hear().utf8)
        #expect(frames.count >= 9)
        #expect(frames[3] == 4, "the server's SETTINGS come first (RFC 9113 section 3.4)")
        #expect(fixture.owners.downstreams.multiplexers.count == 1)
        client.close()
        fixture.run()
        #expect(fixture.owners.downstreams.multiplexers.isEmpty)
    }
}
