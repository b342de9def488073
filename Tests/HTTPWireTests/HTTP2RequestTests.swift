internal import Testing

@testable internal import HTTPWire

/// HTTP/2 requests as the HTTP/1.1 requests that are read from their streams.
@Suite struct HTTP2RequestTests {
    private let get = HTTP2Client.head("GET", "/a?b")
    private let post = HTTP2Client.head("POST", "/up")

    @Test func `a request becomes one of HTTP/1.1 with its authority as Host`() {
        #expect(
            HTTP2Pair.translated(get + [("accept", "x"), ("x-a", "")])
                == "GET /a?b HTTP/1.1\r\nhost: a.example\r\naccept: x\r\nx-a: \r\n\r\n")
    }

    @Test func `cookie crumbs are joined (RFC 9113 section 8.2.3)`() {
        let text = HTTP2Pair.translated(
            get + [("cookie", "a=1"), ("accept", "x"), ("cookie", "b=2"), ("cookie", "c=3")])
        #expect(text?.contains("\r\ncookie: a=1; b=2; c=3\r\n") == true)
    }

    @Test func `a body of known length keeps its Content-Length`() {
        let text = HTTP2Pair.translated(
            post + [("content-length", "5")], body: Array("hello".utf8))
        #expect(text?.hasSuffix("\r\ncontent-length: 5\r\n\r\nhello") == true)
    }

    @Test func `a body of unknown length is chunked, with its trailers`() {
        let text = HTTP2Pair.translated(
            post, body: Array("hello".utf8), trailers: [("x-sum", "1"), ("cookie", "c=1")])
        #expect(
            text?.hasSuffix(
                "\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n") == true
        )
    }

    @Test func `trailers that would frame or route are left out`() {
        let text = HTTP2Pair.translated(
            post, body: [], trailers: [("host", "b"), ("x-forwarded-for", "1"), ("x", "y")])
        #expect(text?.hasSuffix("\r\n\r\n0\r\nx: y\r\n\r\n") == true)
    }

    @Test func `announced trailers find their place though the length is known`() {
        let text = HTTP2Pair.translated(
            post + [("content-length", "5"), ("trailer", "x-sum")], body: Array("hello".utf8),
            trailers: [("x-sum", "1")])
        #expect(text?.contains("content-length") == false)
        #expect(text?.hasSuffix("5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n") == true)
    }

    @Test(arguments: ["POST", "PUT", "PATCH"])
    func `a method that expects a body states when there is none`(method: String) {
        let text = HTTP2Pair.translated(HTTP2Client.head(method, "/"))
        #expect(text?.hasSuffix("\r\ncontent-length: 0\r\n\r\n") == true)
    }

    @Test func `a body in many frames is as many chunks as reads find, and the same`() {
        let pair = HTTP2Pair()
        let id = pair.client.request(post, body: Array("one ".utf8), ends: false)
        pair.run()
        pair.client.send(Array("two".utf8), on: id)
        pair.run()
        pair.client.send([], on: id, ends: true)
        pair.run()
        #expect(pair.request(id).hasSuffix("4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"))
        #expect(pair.ended == [id])
    }

    @Test func `the end is reported when the client has ended its side, and not before`() {
        let pair = HTTP2Pair()
        let open = pair.client.request(post + [("content-length", "2")], body: [1, 2], ends: false)
        let ended = pair.client.get("/")
        pair.run()
        #expect(pair.ended == [ended])
        #expect(pair.read(open) == .wouldBlock)
        pair.client.send([], on: open, ends: true)
        pair.run()
        #expect(pair.ended == [ended, open])
    }

    @Test func `Host stands in for a missing authority`() {
        let head = get.filter { $0.0 != ":authority" } + [("host", "b.example:8")]
        #expect(HTTP2Pair.translated(head)?.contains("\r\nhost: b.example:8\r\n") == true)
    }

    @Test func `authority and Host may differ in case alone`() {
        let text = HTTP2Pair.translated(get + [("host", "A.Example")])
        #expect(text == "GET /a?b HTTP/1.1\r\nhost: a.example\r\n\r\n")
    }

    @Test func `OPTIONS may ask for the server as a whole`() {
        let text = HTTP2Pair.translated(HTTP2Client.head("OPTIONS", "*"))
        #expect(text?.hasPrefix("OPTIONS * HTTP/1.1\r\n") == true)
    }

    @Test func `TE names trailers as in HTTP 1.1`() {
        let text = HTTP2Pair.translated(get + [("te", "trailers")])
        #expect(text?.hasSuffix("\r\nte: trailers\r\nconnection: te\r\n\r\n") == true)
    }

    @Test func `Expect passes, and settings for an upgrade to h2c do not`() {
        let text = HTTP2Pair.translated(
            post + [("expect", "100-continue"), ("http2-settings", "AAA")], body: [])
        #expect(text?.contains("\r\nexpect: 100-continue\r\n") == true)
        #expect(text?.contains("http2-settings") == false)
    }

    @Test func `plain CONNECT reads as one, to be refused like it`() {
        let text = HTTP2Pair.translated([(":method", "CONNECT"), (":authority", "b:443")])
        #expect(text == "CONNECT b:443 HTTP/1.1\r\nhost: b:443\r\n\r\n")
        #expect(Parsed(text ?? "").refusal == 405)
        #expect(
            HTTP2Pair.refusal([(":method", "CONNECT"), (":authority", "b"), (":path", "/")]) == 1)
    }

    @Test(arguments: [
        [("x", String(repeating: "a", count: 40_000))],
        (0..<400).map { ("x-\($0)", String(repeating: "b", count: 100)) },
        [
            ("cookie", String(repeating: "c", count: 30_000)),
            ("cookie", String(repeating: "c", count: 9000)),
        ],
    ])
    func `a head over the limit reads as one that is refused with 431`(more: [(String, String)]) {
        let text = HTTP2Pair.translated(get + more) ?? ""
        #expect(text.utf8.count > 32 * 1024)
        #expect(text.utf8.count < 35 * 1024)
        #expect(Parsed(text).refusal == 431)
    }

    @Test func `a path over the limit reads as one that is refused with 414`() {
        let text = HTTP2Pair.translated(
            HTTP2Client.head("GET", "/" + String(repeating: "a", count: 40_000)))
        #expect(Parsed(text ?? "").refusal == 414)
    }

    @Test func `a path over the limit is refused with 414 whatever the order of the fields`() {
        let path = "/" + String(repeating: "a", count: 40_000)
        let fields = [
            (":method", "GET"), (":path", path), (":authority", "a"), (":scheme", "http"),
        ]
        #expect(Parsed(HTTP2Pair.translated(fields) ?? "").refusal == 414)
    }

    @Test func `the body of a request whose head was cut is taken and dropped`() {
        let pair = HTTP2Pair()
        let big = [("x", String(repeating: "a", count: 40_000))]
        let id = pair.client.request(post + big, body: [UInt8](repeating: 1, count: 50_000))
        pair.run()
        #expect(pair.request(id).utf8.count < 35 * 1024)
        pair.write(id, "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n")
        pair.server.finish(id)
        pair.server.forget(id)
        #expect(pair.run())
        #expect(pair.answer(id).statuses == [":status: 431"])
        #expect(pair.server.openStreams == 0)
    }

    @Test(arguments: [1, 2, 3, 9, 100, Int.max])
    func `a request is the same however its bytes are split and read`(step: Int) {
        let pair = HTTP2Pair()
        pair.step = step
        pair.room = min(step, 100)
        let id = pair.client.request(
            post + [("cookie", "a=1"), ("cookie", "b=2")], body: Array("hello".utf8), ends: false,
            trailers: [("x", "y")])
        pair.run()
        pair.client.send(Array("!".utf8), on: id, ends: true)
        pair.run()
        let (head, body) = Self.split(pair.request(id))
        #expect(
            head == "POST /up HTTP/1.1\r\nhost: a.example\r\ncookie: a=1; b=2\r\n"
                + "transfer-encoding: chunked\r\n\r\n")
        #expect(decoded(body) == DecodedBody(data: "hello!", rest: "", ended: true))
        #expect(body.hasSuffix("0\r\nx: y\r\n\r\n"))
    }

    @Test func `what is made parses as what was meant`() {
        let text = HTTP2Pair.translated(
            post + [("te", "trailers"), ("x-forwarded-for", "1.2.3.4"), ("via", "2 x")], body: [7])
        let parsed = Parsed(Self.split(text ?? "").head)
        #expect(parsed.result == .complete)
        #expect(parsed.method == .post)
        #expect(parsed.path == "/up")
        #expect(parsed.host == "a.example")
        #expect(parsed.keepAlive)
        #expect(parsed.body == .chunked)
        #expect(parsed.cameThroughProxy)
    }

    /// The head with its empty line, and what is behind it.
    static func split(_ text: String) -> (head: String, body: String) {
        let bytes = Array(text.utf8)
        var end = 4
        while end < bytes.count, bytes[end - 4..<end] != [13, 10, 13, 10] { end += 1 }
        end = min(end, bytes.count)
        return (
            String(decoding: bytes[..<end], as: UTF8.self),
            String(decoding: bytes[end...], as: UTF8.self)
        )
    }
}
