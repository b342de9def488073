internal import Backends
internal import Testing

@testable internal import ReverseProxy

/// The two ways of a tunnel, each with an end of its own.
@Suite struct TunnelPumpTests {
    private static let offer =
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    private static let webSocket =
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"

    private static func taken(_ name: String) -> String {
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: \(name)\r\n\r\n"
    }

    private static func tunnel(
        _ fixture: WorkerFixture, _ request: String = offer, _ name: String = "x"
    ) throws -> (client: Peer, process: Peer) {
        let (client, process) = try fixture.begin(request)
        process.say(taken(name))
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 101 "))
        return (client, process)
    }

    @Test func `a process that has finished still hears its client`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture)
        process.say("last")
        process.finish()
        fixture.run()
        #expect(client.hear() == "last")
        #expect(client.hasEnded)
        client.say("more")
        fixture.run()
        #expect(process.hear() == "more")
        #expect(!process.hasEnded)
        client.finish()
        fixture.run()
        _ = process.hear()
        #expect(process.hasEnded)
        #expect(fixture.leftovers == [])
    }

    @Test func `a client that has finished still hears its process`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture)
        client.say("last")
        client.finish()
        fixture.run()
        #expect(process.hear() == "last")
        #expect(process.hasEnded)
        process.say("more")
        fixture.run()
        #expect(client.hear() == "more")
        #expect(!client.hasEnded)
    }

    @Test func `what a client sends early reaches its process after the 101`() throws {
        let fixture = try WorkerFixture()
        let client = try fixture.connect()
        client.say(Self.offer + "early")
        fixture.run()
        let process = try fixture.accept()
        #expect(process.hear().hasSuffix("\r\n\r\n"))
        process.say(Self.taken("x"))
        fixture.run()
        #expect(process.hear() == "early")
    }

    @Test func `an offer that is declined leaves the connection what it was`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin(Self.offer)
        process.say(WorkerFixture.answer)
        fixture.run()
        #expect(client.hear().hasSuffix("ok"))
        client.say(WorkerFixture.get)
        fixture.run()
        #expect(process.hear().hasPrefix("GET /a "))
    }

    @Test(arguments: [(WorkerFixture.get, "x"), (Self.offer, "y")])
    func `a 101 without a request for it is no tunnel`(request: String, name: String) throws {
        let fixture = try WorkerFixture()
        let (client, process) = try fixture.begin(request)
        process.say(Self.taken(name))
        fixture.run()
        #expect(client.hear().hasPrefix("HTTP/1.1 502 "))
        #expect(fixture.leftovers == [])
    }

    @Test func `who reads slowly holds its peer back, and loses nothing`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture)
        let length = 16_000_000
        var said = 0
        var taken = 1
        while taken > 0 {
            taken = process.say(length - said, of: UInt8(ascii: "x"))
            said += taken
            fixture.run()
        }
        #expect(said < length)
        #expect(fixture.owners.buffers.blocksInUse <= 2, "each way has a block")
        client.say("meanwhile")
        fixture.run()
        #expect(process.hear() == "meanwhile", "the other way goes on")
        process.finish()
        var heard = 0
        while !client.hasEnded {
            let text = client.hear()
            heard += text.utf8.count
            fixture.run()
            try #require(!text.isEmpty || client.hasEnded)
        }
        #expect(heard == said)
    }

    @Test(arguments: [true, false])
    func `a tunnel holds a slot with tunnel_slots, until it ends`(holds: Bool) throws {
        let fixture = try WorkerFixture(policy: { $0.tunnelSlots = holds })
        let (client, process) = try Self.tunnel(fixture)
        #expect(fixture.slotsTaken == (holds ? 1 : 0))
        client.finish()
        process.finish()
        fixture.run()
        #expect(fixture.leftovers == [])
    }

    @Test func `a client that breaks off ends the tunnel for its process`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture)
        process.say("unread")
        fixture.run()
        client.close()
        fixture.run()
        _ = process.hear()
        #expect(process.hasEnded)
    }

    @Test func `at shutdown a WebSocket's client gets one close frame, and nothing after it`()
        throws
    {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture, Self.webSocket, "websocket")
        fixture.drain(.end)
        // Close, two bytes, 1001: of these two are not UTF-8.
        #expect(client.hear() == "\u{fffd}\u{2}\u{3}\u{fffd}")
        process.say("late")
        fixture.run()
        #expect(client.hear().isEmpty)
        client.say("bye")
        fixture.run()
        #expect(process.hear() == "bye", "the client's answer goes to its process")
    }

    @Test func `a tunnel of another kind is left in peace at the end of the program`() throws {
        let fixture = try WorkerFixture()
        let (client, process) = try Self.tunnel(fixture)
        fixture.drain(.end)
        process.say("on")
        fixture.run()
        #expect(client.hear() == "on")
        #expect(!client.hasEnded)
    }
}
