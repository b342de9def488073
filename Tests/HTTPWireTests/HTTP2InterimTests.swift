internal import Testing

@testable internal import HTTPWire

/// 1xx heads for a client that does not read, and what a connection counts as held.
@Suite struct HTTP2InterimTests {
    private static let hint =
        "HTTP/1.1 103 Early Hints\r\nLink: </" + String(repeating: "a", count: 1000)
        + ".css>\r\n\r\n"
    private let memory = HTTP2Memory()

    /// A client with one request that takes nothing.
    private func stalled() -> HTTP2Raw {
        let raw = HTTP2Raw(HTTP2Settings(), memory: memory)
        raw.feed(HTTP2Frames.get(1))
        raw.takes = false
        return raw
    }

    private func heads(_ raw: HTTP2Raw) -> Int {
        raw.sent.filter { $0.type == 1 && $0.stream == 1 }.count
    }

    @Test func `1xx heads beyond the output limit are left out, and the response is whole`() {
        let raw = stalled()
        for _ in 0..<10_000 {
            #expect(raw.pair.write(1, Self.hint) == Self.hint.utf8.count)
        }
        raw.pair.write(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(memory.bytes < 80 * 1024)
        raw.take()
        #expect(heads(raw) == HTTP2Settings().outputLimit / Self.hint.utf8.count + 1)
        #expect(raw.sent.last?.payload == Array("ok".utf8))
        #expect(raw.goAways.isEmpty)
    }

    @Test func `a client that reads gets 1xx heads without a bound here`() {
        let raw = stalled()
        for _ in 0..<1000 {
            raw.pair.write(1, Self.hint)
            raw.take()
        }
        #expect(heads(raw) == 1000)
    }

    @Test func `a body that waits leaves no room for 1xx heads of later streams only`() {
        let raw = stalled()
        raw.feed(HTTP2Frames.get(3))
        raw.pair.write(1, "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 100_000))
        raw.pair.write(3, Self.hint)
        raw.take()
        #expect(raw.sent.contains { $0.type == 1 && $0.stream == 3 })
    }

    @Test func `the limit can be lowered while output waits`() {
        let raw = stalled()
        let body = String(repeating: "x", count: 50_000)
        raw.pair.write(1, "HTTP/1.1 200 OK\r\n\r\n" + body)
        raw.pair.server.outputLimit = 1000
        #expect(raw.pair.write(1, "more") == 0)
        raw.take()
        #expect(raw.pair.writable.contains(1))
        #expect(raw.pair.write(1, "more") == 4)
    }

    @Test func `all memory is counted out when the connection has gone`() {
        do {
            let raw = stalled()
            for stream: Int32 in [3, 5, 7] { raw.feed(HTTP2Frames.get(stream, endsStream: false)) }
            raw.pair.reads = false
            raw.feed(HTTP2Frames.data(3, String(repeating: "x", count: 10_000)))
            raw.pair.write(5, Self.hint)
            raw.pair.write(7, "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 30_000))
            #expect(memory.bytes > 40_000)
            raw.feed(HTTP2Frames.reset(7))
        }
        #expect(memory.bytes == 0)
    }
}
