internal import Backends
internal import HTTPWire
internal import SessionAffinity
internal import Testing

@testable internal import ReverseProxy

@Suite struct AccessLogTests {
    private static let head = Array(
        "GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nUser-Agent: \"x\"\r\n\r\n".utf8)
    private static let line = 0..<19

    private static func entry() -> LogEntry {
        var entry = LogEntry(client: PeerText(IPAddress(v4: 0xc000_0207), isSecure: false))
        entry.status = 200
        entry.bytesToClient = 1234
        entry.startedAt = 1_000_000_000
        entry.dequeuedAt = 1_000_500_000
        entry.firstByteAt = 1_002_000_000
        entry.endedAt = 1_003_000_000
        entry.group = 1
        entry.process = InlineText<40>("web-1")
        entry.session = SessionID(high: 1, low: 2)
        entry.verdict = .valid
        entry.action = "kept"
        return entry
    }

    private static func log(
        _ entry: LogEntry, as format: AccessLogSettings.Format,
        head: [UInt8] = head, line: Range<Int> = line
    ) -> String {
        var log = AccessLog(
            writer: nil, format: format, groupNames: [Array("api".utf8), Array("app".utf8)])
        var clock = WallClock()
        clock.set(wallNanoseconds: 1_764_000_000_250_000_000)
        log.write(entry, head: head.span, line: line, clock: clock)
        return String(decoding: log.buffer.bytes, as: UTF8.self)
    }

    @Test func `a plain line tells who asked, what came of it, how long it took and who answered`()
    {
        #expect(
            Self.log(Self.entry(), as: .mooring)
                == "2025-11-24T16:00:00.250Z 192.0.2.7 \"GET /a?b=c HTTP/1.1\" 200 1234"
                + " 0.003000 0.000500 0.002000 app web-1 valid kept\n")
    }

    @Test func `a request that got to no process shows dashes`() {
        var entry = LogEntry(client: PeerText(nil, isSecure: false))
        entry.status = 400
        #expect(
            Self.log(entry, as: .mooring, head: [], line: 0..<0)
                == "2025-11-24T16:00:00.250Z unknown \"-\" 400 0 0.000000 - - - - none -\n")
    }

    @Test func `a tunnel shows the bytes of both ways`() {
        var entry = Self.entry()
        entry.isTunnel = true
        entry.bytesFromClient = 77
        #expect(Self.log(entry, as: .mooring).contains(" 200 1234/77 "))
    }

    @Test func `a stream's request line shows HTTP/2`() {
        var entry = Self.entry()
        entry.isStream = true
        #expect(Self.log(entry, as: .mooring).contains("\"GET /a?b=c HTTP/2.0\""))
    }

    @Test func `a line of combined is Apache's, with a local address for a unix socket`() {
        var entry = Self.entry()
        entry.isAnonymous = true
        entry.bytesToClient = 0
        #expect(
            Self.log(entry, as: .combined)
                == "127.0.0.1 - - [24/Nov/2025:16:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 200 -"
                + " \"-\" \"\\x22x\\x22\"\n")
    }

    @Test func `a line of JSON is one object, with null for what there is not`() {
        var entry = Self.entry()
        entry.action = nil
        entry.session = nil
        entry.process = nil
        #expect(
            Self.log(entry, as: .json)
                == #"{"time":"2025-11-24T16:00:00.250Z","client":"192.0.2.7","#
                + #""request":"GET /a?b=c HTTP/1.1","host":"example.org","#
                + #""user_agent":"\u0022x\u0022","referer":null,"request_id":null,"status":200,"#
                + #""bytes":1234,"received":0,"duration":0.003000,"queue":0.000500,"#
                + #""first_byte":0.002000,"group":"app","process":null,"cookie":"valid","#
                + #""session":null,"session_id":null}"# + "\n")
    }

    @Test func `the head of a tunnel is kept until its line is written, and no longer`() {
        var log = AccessLog(writer: nil, format: .mooring, groupNames: [])
        var entry = LogEntry(client: PeerText(nil, isSecure: false))
        entry.isTunnel = true
        log.keepHead(Self.head.span, line: Self.line, of: 5)
        log.writeKept(entry, of: 5, clock: WallClock())
        log.writeKept(entry, of: 5, clock: WallClock())
        let lines = String(decoding: log.buffer.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.map { $0.contains("GET /a?b=c HTTP/1.1") } == [true, false])
    }
}
