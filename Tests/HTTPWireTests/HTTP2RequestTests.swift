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
}
