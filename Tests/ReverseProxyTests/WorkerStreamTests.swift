internal import Backends
internal import Testing

@testable internal import ReverseProxy

/// Requests on streams of HTTP/2, through a whole loop.
@Suite struct WorkerStreamTests {
    private struct Frame {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let goAway: UInt8 = 7

        var type: UInt8
        var flags: UInt8 = 0
        var stream: Int = 0
        var payload: [UInt8] = []

        var bytes: [UInt8] {
            [
                UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xff),
                UInt8(payload.count & 0xff), type, flags, 0, 0, UInt8(stream >> 8),
                UInt8(stream & 0xff),
            ] + payload
        }

        /// Whole frames, one behind the other.
        static func all(in bytes: [UInt8]) -> [Frame] {
            var frames: [Frame] = []
            var rest = bytes[...]
            while rest.count >= 9 {
                let start = rest.startIndex
                let count =
                    Int(rest[start]) << 16 | Int(rest[start + 1]) << 8 | Int(rest[start + 2])
                let stream = Int(rest[start + 7]) << 8 | Int(rest[start + 8])
                let payload = rest.dropFirst(9).prefix(count)
                frames.append(
                    Frame(
                        type: rest[start + 3], flags: rest[start + 4], stream: stream,
                        payload: Array(payload)))
                rest = rest.dropFirst(9 + count)
            }
            return frames
        }
    }

    /// A connection that speaks HTTP/2 from its first byte.
    private static func connect(_ fixture: WorkerFixture) throws -> Peer {
        let client = try fixture.connect()
        client.say(
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Frame(type: Frame.settings).bytes)
        fixture.run()
        return client
    }

    /// A GET, of fields that are literal and not remembered (RFC 7541 section 6.2.2).
    private static func get(_ stream: Int, _ path: String) -> [UInt8] {
        let fields = [
            (":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "a"),
            ("user-agent", "test"),
        ]
        var block: [UInt8] = []
        for (name, value) in fields {
            block += [0, UInt8(name.utf8.count)] + name.utf8
            block += [UInt8(value.utf8.count)] + value.utf8
        }
        // END_STREAM and END_HEADERS.
        return Frame(type: Frame.headers, flags: 0x5, stream: stream, payload: block).bytes
    }

    @Test func `each stream is a request of its own`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 4 })
        let client = try Self.connect(fixture)
        client.say(Self.get(1, "/1") + Self.get(3, "/3"))
        fixture.run()
        let processes = [try fixture.accept(), try fixture.accept()]
        let requests = processes.map { $0.hear() }
        #expect(requests.contains { $0.hasPrefix("GET /1 HTTP/1.1") })
        #expect(requests.contains { $0.hasPrefix("GET /3 HTTP/1.1") })
        for process in processes { process.say(WorkerFixture.answer) }
        fixture.run()
        let frames = Frame.all(in: client.hearBytes())
        for stream in [1, 3] {
            let body = frames.filter { $0.stream == stream && $0.type == Frame.data }
            #expect(body.flatMap(\.payload) == Array("ok".utf8))
            #expect(frames.contains { $0.stream == stream && $0.type == Frame.headers })
        }
        #expect(fixture.owners.downstreams.openStreams == 0)
        #expect(fixture.owners.exchanges.slab.count == 0)
    }

    @Test func `streams that wait for the same session have their turns in one process`() throws {
        let fixture = try WorkerFixture(servers: 2, policy: { $0.threads = 1 })
        let client = try Self.connect(fixture)
        client.say(Self.get(1, "/1") + Self.get(3, "/3") + Self.get(5, "/5"))
        fixture.run()
        let used = (0..<2).compactMap { index in
            fixture.acceptIfAny(at: index).map { (index, $0) }
        }
        #expect(used.count == 1, "the streams of one visitor make one session")
        let (_, process) = try #require(used.first)
        for _ in 0..<3 {
            #expect(process.hear().hasPrefix("GET /"))
            process.say(WorkerFixture.answer)
            fixture.run()
        }
        let frames = Frame.all(in: client.hearBytes())
        let answered = Set(frames.filter { $0.type == Frame.data }.map(\.stream))
        #expect(answered == [1, 3, 5])
        #expect(fixture.isLeftAlone)
    }

    @Test func `streams behind one that is queued join its session when it has its turn`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 1 })
        let other = try fixture.connect()
        other.say("GET /0 HTTP/1.1\r\nHost: a\r\n\r\n")
        fixture.run()
        let process = try fixture.accept()
        _ = process.hear()
        let client = try Self.connect(fixture)
        client.say(Self.get(1, "/1") + Self.get(3, "/3"))
        fixture.run()
        #expect(fixture.owners.exchanges.slab.count == 3)
        #expect(process.hear().isEmpty)
        var sessions: Set<Substring> = []
        for stream in [1, 3] {
            process.say(WorkerFixture.answer)
            fixture.run()
            let request = process.hear()
            #expect(request.hasPrefix("GET /\(stream) "))
            let field = request.split(separator: "\r\n").first { $0.hasPrefix("Mooring-Session: ") }
            sessions.insert(try #require(field))
        }
        #expect(sessions.count == 1)
        process.say(WorkerFixture.answer)
        fixture.run()
        let frames = Frame.all(in: client.hearBytes())
        #expect(Set(frames.filter { $0.type == Frame.data }.map(\.stream)) == [1, 3])
    }

    @Test func `a stream that is reset ends its request and no other`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 4 })
        let client = try Self.connect(fixture)
        client.say(Self.get(1, "/1") + Self.get(3, "/3"))
        fixture.run()
        client.say(Frame(type: Frame.reset, stream: 1, payload: [0, 0, 0, 8]).bytes)
        fixture.run()
        #expect(fixture.owners.exchanges.slab.count == 1)
        for process in [try fixture.accept(), try fixture.accept()] {
            process.say(WorkerFixture.answer)
        }
        fixture.run()
        let frames = Frame.all(in: client.hearBytes())
        let answered = Set(frames.filter { $0.type == Frame.data }.map(\.stream))
        #expect(answered == [3])
    }

    @Test func `a connection that ends takes its streams along`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 4 })
        let client = try Self.connect(fixture)
        client.say(Self.get(1, "/1") + Self.get(3, "/3"))
        fixture.run()
        client.close()
        fixture.run()
        #expect(fixture.owners.exchanges.slab.count == 0)
        #expect(fixture.owners.downstreams.takenEntries().isEmpty)
        #expect(fixture.owners.downstreams.openStreams == 0)
    }

    @Test func `a drain lets streams end and takes no more`() throws {
        let fixture = try WorkerFixture(policy: { $0.threads = 4 })
        let client = try Self.connect(fixture)
        client.say(Self.get(1, "/1"))
        fixture.run()
        let process = try fixture.accept()
        fixture.drain(.end)
        let notice = Frame.all(in: client.hearBytes())
        #expect(notice.contains { $0.type == Frame.goAway })
        process.say(WorkerFixture.answer)
        fixture.run()
        let frames = Frame.all(in: client.hearBytes())
        #expect(frames.contains { $0.stream == 1 && $0.type == Frame.data })
    }
}
