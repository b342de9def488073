internal import Testing

@testable internal import HTTPWire

/// A process that is taken over must not split responses: what is in doubt is a 502.
@Suite struct ResponseRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var section: String
        var response: String

        init(_ section: String, _ response: String) {
            self.section = section
            self.response = response
        }

        var testDescription: String { section }
    }

    private static let start = "HTTP/1.1 200 OK\r\n"

    static let lines = [
        Case("RFC 9112 4 four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
        Case("RFC 9112 4 two digits", "HTTP/1.1 20 OK\r\n\r\n"),
        Case("RFC 9110 15 below 100", "HTTP/1.1 099 OK\r\n\r\n"),
        Case("RFC 9112 4 a sign", "HTTP/1.1 +20 OK\r\n\r\n"),
        Case("RFC 9112 4 no space behind the status", "HTTP/1.1 200OK\r\n\r\n"),
        Case("RFC 9112 4 two spaces", "HTTP/1.1  200 OK\r\n\r\n"),
        Case("RFC 9112 2.3 other version", "HTTP/2.0 200 OK\r\n\r\n"),
        Case("RFC 9112 2.3 HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"),
        Case("RFC 9112 2.3 no digit", "HTTP/1.x 200 OK\r\n\r\n"),
        Case("RFC 9112 2.3 lower case", "http/1.1 200 OK\r\n\r\n"),
        Case("RFC 9112 2.3 HTTP/0.9", "<html>"), Case("RFC 9112 4 garbage", "blah blah\r\n\r\n"),
        Case("RFC 9112 2.2 empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n"),
        Case("RFC 9112 2.2 bare LF before", "\nHTTP/1.1 200 OK\n\n"),
        Case("RFC 9112 4 control in the reason", "HTTP/1.1 200 O\u{1}K\r\n\r\n"),
        Case("RFC 9112 2.2 bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"),
    ]

    static let fields = [
        Case("RFC 9112 5.1 space before the colon", start + "X : y\r\n\r\n"),
        Case("RFC 9112 2.2 space before the first field", start + " X: y\r\n\r\n"),
        Case("RFC 9110 5.5 NUL", start + "X: a\0b\r\n\r\n"),
        Case("RFC 9112 2.2 bare CR, a cookie behind it", start + "X: a\rSet-Cookie: b\r\n\r\n"),
        Case("RFC 9112 5.2 folded line behind a bare LF", start + "X: a\n b\r\n\r\n"),
        Case("RFC 9112 5.2 folded line", start + "X: a\r\n b\r\n\r\n"),
        Case("RFC 9110 5.1 no colon", start + "X\r\n\r\n"),
        Case("RFC 9110 5.1 empty name", start + ": y\r\n\r\n"),
        Case(
            "RFC 9110 5.4 too many fields",
            start + String(repeating: "X: y\r\n", count: 129) + "\r\n"),
    ]

    static let framing = [
        Case(
            "RFC 9112 6.3 two different lengths",
            start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"),
        Case(
            "RFC 9112 6.3 two lengths alike",
            start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"),
        Case("RFC 9112 6.3 list of lengths", start + "Content-Length: 3, 3\r\n\r\n"),
        Case("RFC 9110 8.6 no number", start + "Content-Length: x\r\n\r\n"),
        Case("RFC 9110 8.6 negative", start + "Content-Length: -1\r\n\r\n"),
        Case("RFC 9110 8.6 overflow", start + "Content-Length: 9223372036854775808\r\n\r\n"),
        Case("RFC 9110 8.6 empty", start + "Content-Length:\r\n\r\n"),
        Case(
            "RFC 9112 6.3 length and transfer coding",
            start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case(
            "RFC 9112 6.1 transfer coding in HTTP/1.0",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case("RFC 9112 6.1 unknown coding", start + "Transfer-Encoding: gzip\r\n\r\n"),
        Case(
            "RFC 9112 6.3 chunked is not the last", start + "Transfer-Encoding: chunked, x\r\n\r\n"),
        Case("RFC 9112 7.1 chunked twice", start + "Transfer-Encoding: chunked, chunked\r\n\r\n"),
        Case(
            "RFC 9110 15.2.2 switching without being asked",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
    ]

    @Test(arguments: lines)
    func `a bad status line is refused`(_ case: Case) {
        #expect(ParsedResponse(`case`.response).isRefused)
    }

    @Test(arguments: fields)
    func `a bad field of a response is refused`(_ case: Case) {
        #expect(ParsedResponse(`case`.response).isRefused)
    }

    @Test(arguments: framing)
    func `framing of a response in doubt is refused`(_ case: Case) {
        #expect(ParsedResponse(`case`.response).isRefused)
    }

    @Test func `framing is checked also where no body is expected (RFC 9112 6.3)`() {
        for head in ["HTTP/1.1 304 N\r\n", "HTTP/1.1 204 N\r\n", "HTTP/1.1 103 H\r\n"] {
            #expect(
                ParsedResponse(head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n").isRefused)
        }
        #expect(ParsedResponse(Self.start + "Content-Length: x\r\n\r\n", to: .head).isRefused)
    }
}
