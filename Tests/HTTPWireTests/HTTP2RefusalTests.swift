internal import Testing

@testable internal import HTTPWire

/// Malformed requests: a stream error PROTOCOL_ERROR, nothing for the user, the connection goes on
/// (RFC 9113 section 8.1.1).
@Suite struct HTTP2RefusalTests {
    /// `GET /` with fields changed, left out (nil) or added.
    private static func head(_ changes: [(String, String?)]) -> [(String, String)] {
        var head = HTTP2Client.head("GET", "/")
        for (name, value) in changes {
            if let place = head.firstIndex(where: { $0.0 == name }) {
                head.remove(at: place)
                if let value { head.insert((name, value), at: place) }
            } else if let value {
                head.append((name, value))
            }
        }
        return head
    }

    @Test(
        arguments: [
            // RFC 9113 section 8.3.1, and what would split a request line.
            [(":method", nil)], [(":path", nil)], [(":scheme", nil)], [(":path", "")],
            [(":path", "a")], [(":path", "*")], [(":path", "/a b")], [(":path", "/a\r\nb")],
            [(":path", "/a\0")], [(":path", "http://a/")], [(":method", "")], [(":method", "G T")],
            [(":method", "GET\r\nX: y")], [(":scheme", "ftp")], [(":scheme", "ht tp")],
            [(":authority", "a b")], [(":authority", "a\r\nx: y")],
            [(":authority", nil)], [(":authority", nil), ("host", "")],
            // Section 8.3.1: two names of the server.
            [("host", "b.example")], [("host", "a.example:80")], [("host", "")],
            // Section 8.3: pseudo-header fields.
            [(":status", "200")], [(":unknown", "a")], [(":protocol", "websocket")],
            // Section 8.2.1: names and values.
            [("X-A", "b")], [("x a", "b")], [("x\0", "b")], [("x\r", "b")], [("", "b")],
            [("x:", "b")], [("x-a", "b\r\nc: d")], [("x-a", "b\nc")], [("x-a", "b\0")],
            [("x-a", " b")], [("x-a", "b ")], [("x-a", "\tb")], [("x-a", "b\u{7f}")],
            // Section 8.2.2: fields of one connection.
            [("connection", "close")], [("connection", "")], [("keep-alive", "5")],
            [("proxy-connection", "x")], [("transfer-encoding", "chunked")],
            [("transfer-encoding", "identity")], [("upgrade", "h2c")], [("te", "gzip")],
            [("te", "trailers, gzip")],
            // Section 8.1.1: a length that is none, or another than that of the data.
            [("content-length", "-1")], [("content-length", "+1")], [("content-length", "1, 1")],
            [("content-length", "0x1")], [("content-length", "99999999999999999999")],
            [("content-length", "5")], [("content-length", "")],
        ] as [[(String, String?)]])
    func `a malformed request is a stream error`(changes: [(String, String?)]) {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.headers(1, Self.head(changes)))
        #expect(raw.resetCode(1) == 1)
        #expect(raw.pair.opened.isEmpty)
        #expect(raw.goAways.isEmpty)
        #expect(raw.pair.server.openStreams == 0)
        raw.feed(HTTP2Frames.get(3))
        #expect(raw.pair.opened == [3])
    }

    @Test(arguments: [
        [("x-a", "b"), (":path", "/b")], [(":path", "/b")], [(":method", "GET")],
        [(":authority", "a.example")], [(":scheme", "https")],
        [("host", "a.example"), ("host", "a.example")],
        [("content-length", "0"), ("content-length", "0")],
    ])
    func `fields twice or in the wrong place are a stream error`(more: [(String, String)]) {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.headers(1, HTTP2Client.head("GET", "/") + more))
        #expect(raw.resetCode(1) == 1)
        #expect(raw.pair.opened.isEmpty)
    }

    @Test(arguments: ["", "four", "sixsix"])
    func `data of another length than announced is a stream error`(body: String) {
        let raw = HTTP2Raw()
        raw.feed(
            HTTP2Frames.headers(
                1, HTTP2Client.head("POST", "/") + [("content-length", "5")], endsStream: false))
        raw.feed(HTTP2Frames.data(1, body, endsStream: true))
        #expect(raw.resetCode(1) == 1)
        #expect(raw.pair.resets == [1])
        #expect(!raw.pair.ended.contains(1))
        #expect(
            raw.pair.requests[1].map { String(decoding: $0, as: UTF8.self) }?
                .hasSuffix("sixsix") == false)
    }

    @Test(arguments: [
        [(":path", "/")], [("X", "y")], [("x", "y\r\nz")], [("transfer-encoding", "chunked")],
        [("connection", "close")], [("", "x")],
    ])
    func `malformed trailers are a stream error (RFC 9113 section 8.1)`(
        trailers: [(String, String)]
    ) {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.headers(1, HTTP2Client.head("POST", "/"), endsStream: false))
        raw.feed(HTTP2Frames.data(1, "hello") + HTTP2Frames.headers(1, trailers))
        #expect(raw.resetCode(1) == 1)
        #expect(raw.pair.resets == [1])
        #expect(raw.pair.request(1).hasSuffix("5\r\nhello\r\n"))
    }

    @Test func `trailers that do not end the stream are an error`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.headers(1, HTTP2Client.head("POST", "/"), endsStream: false))
        raw.feed(HTTP2Frames.headers(1, [("x", "y")], endsStream: false))
        #expect(raw.resetCode(1) == 1 || raw.goAways == [1])
    }

    @Test func `trailers larger than HTTP 1.1 takes are a stream error`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.headers(1, HTTP2Client.head("POST", "/"), endsStream: false))
        raw.feed(
            HTTP2Frames.headers(1, (0..<5).map { ("x-\($0)", String(repeating: "a", count: 1000)) })
        )
        #expect(raw.resetCode(1) == 1)
    }

    @Test func `bytes that are not HTTP 2 end the connection`() {
        let pair = HTTP2Pair()
        pair.feed(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(pair.progress == .closed(.badPreface))
        var output = pair.output()
        #expect(HTTP2Frames.parse(&output).last?.code == 1)
        #expect(pair.server.isFinished)
    }

    @Test(arguments: [
        // On stream 0; on an even stream; a broken block; too large; interleaved with a block.
        HTTP2Frames.headers(0, []), HTTP2Frames.get(2), HTTP2Frames.frame(1, 5, 1, [0xff]),
        HTTP2Frames.frame(0, 0, 1, [UInt8](repeating: 0, count: 16_385)),
        HTTP2Frames.headers(1, [], endsBlock: false) + HTTP2Frames.data(1, ""),
        HTTP2Frames.frame(9, 4, 1, []), HTTP2Frames.data(101, "idle"), HTTP2Frames.reset(101),
        HTTP2Frames.windowUpdate(0, 0), HTTP2Frames.windowUpdate(0, 0x7fff_ffff),
        HTTP2Frames.frame(5, 4, 1, [0, 0, 0, 2]), HTTP2Frames.frame(6, 0, 0, [1]),
        HTTP2Frames.frame(4, 1, 0, []) + HTTP2Frames.frame(4, 1, 0, []),
        HTTP2Frames.frame(4, 0, 0, [0, 2, 0, 0, 0, 2]),
    ])
    func `a connection error ends the connection with GOAWAY and resets its streams`(bytes: [UInt8])
    {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(99))
        raw.feed(bytes)
        raw.take()
        #expect(raw.goAways.count == 1)
        #expect(raw.goAways.first != 0)
        #expect(raw.pair.server.isFinished)
        #expect(raw.pair.resets == [99])
    }
}
