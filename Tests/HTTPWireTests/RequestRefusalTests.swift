internal import Testing

@testable internal import HTTPWire

/// What two parties could read differently is refused; each with its RFC section.
@Suite struct RequestRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var section: String
        var request: String
        var status: UInt16

        init(_ section: String, _ request: String, _ status: UInt16 = 400) {
            self.section = section
            self.request = request
            self.status = status
        }

        var testDescription: String { section }
    }

    private static let start = "GET / HTTP/1.1\r\nHost: a\r\n"

    static let lines = [
        Case("RFC 9112 2.2 bare LF", "GET / HTTP/1.1\nHost: a\n\n"),
        Case("RFC 9112 2.2 bare LF in a field", start + "X: a\nY: b\r\n\r\n"),
        Case("RFC 9112 2.2 bare CR in a value", start + "X: a\rb\r\n\r\n"),
        Case("RFC 9112 2.2 space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        Case("RFC 9112 3 two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 3 tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 3 no version (HTTP/0.9)", "GET /\r\n\r\n"),
        Case("RFC 9110 9.1 method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 2.3 lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 2.3 long version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 2.2 bare CR in the target", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 3 space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        Case("RFC 9112 2.2 vertical tab for a space", "GET /\u{b}HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9110 15.6.6 HTTP/2.0 line", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        Case("RFC 9110 15.6.6 HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        Case("RFC 9112 2.3 two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 3.2.3 CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        Case("RFC 9110 9.3.8 TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ]

    static let fields = [
        Case("RFC 9112 5.1 space before the colon", start + "X : a\r\n\r\n"),
        Case("RFC 9112 5.2 folded line", start + "X: a\r\n b\r\n\r\n"),
        Case("RFC 9112 5.2 folded line with a tab", start + "X: a\r\n\tb\r\n\r\n"),
        Case("RFC 9110 5.1 empty name", start + ": a\r\n\r\n"),
        Case("RFC 9110 5.1 name that is no token", start + "X(: a\r\n\r\n"),
        Case("RFC 9110 5.5 NUL", start + "X: a\0b\r\n\r\n"),
        Case("RFC 9110 5.5 escape", start + "X: a\u{1b}b\r\n\r\n"),
        Case("RFC 9110 5.5 DEL", start + "X: a\u{7f}\r\n\r\n"),
        Case("RFC 9110 5.1 NUL in a name", start + "X\0: a\r\n\r\n"),
        Case("RFC 9110 5.1 name beyond ASCII", start + "X\u{e9}: a\r\n\r\n"),
        Case("RFC 9112 5.1 tab before the colon", start + "Content-Length\t: 0\r\n\r\n"),
        Case("RFC 9112 5.2 folded last line", start + " \r\n\r\n"),
        Case(
            "RFC 9110 7.6.2 several Max-Forwards",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n"
                + "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n"),
        Case(
            "RFC 9110 7.6.2 negative", "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: -1\r\n\r\n"),
        Case("RFC 9110 5.1 no colon", start + "X\r\n\r\n"),
        Case("RFC 9110 10.1.1 unknown expectation", start + "Expect: tea\r\n\r\n", 417),
        Case(
            "RFC 6585 5 more than 128 fields",
            start + String(repeating: "X: a\r\n", count: 128) + "\r\n", 431),
        Case(
            "RFC 9110 7.6.1 more connection options than sane",
            start + "Connection: " + String(repeating: "a,", count: 65) + "b\r\n\r\n"),
    ]

    static let framing = [
        Case(
            "RFC 9112 6.1 both framings",
            start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case(
            "RFC 9112 6.1 transfer coding in HTTP/1.0",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case("RFC 9112 6.1 unknown coding", start + "Transfer-Encoding: gzip\r\n\r\n", 501),
        Case("RFC 9112 6.1 coding before", start + "Transfer-Encoding: x, chunked\r\n\r\n", 501),
        Case("RFC 9112 6.3 coding behind", start + "Transfer-Encoding: chunked, x\r\n\r\n"),
        Case("RFC 9112 6.1 list with nothing", start + "Transfer-Encoding: ,chunked\r\n\r\n"),
        Case("RFC 9112 6.1 parameter", start + "Transfer-Encoding: chunked;a\r\n\r\n", 501),
        Case("RFC 9112 7.1 twice", start + "Transfer-Encoding: chunked, chunked\r\n\r\n"),
        Case(
            "RFC 9112 7.1 in two lines",
            start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Case("RFC 9112 6.1 vertical tab", start + "Transfer-Encoding: \u{b}chunked\r\n\r\n"),
        Case("RFC 9112 6.1 quoted", start + "Transfer-Encoding: \"chunked\"\r\n\r\n", 501),
        Case("RFC 9112 6.1 almost", start + "Transfer-Encoding: xchunked\r\n\r\n", 501),
        Case("RFC 9112 6.1 identity", start + "Transfer-Encoding: identity\r\n\r\n", 501),
        Case(
            "RFC 9112 6.3 both framings, the other order, a number that agrees",
            start + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
        Case("RFC 9112 6.1 empty", start + "Transfer-Encoding: \r\n\r\n"),
        Case("RFC 9112 6.3 two lengths", start + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
        Case("RFC 9112 6.3 list of lengths", start + "Content-Length: 5, 5\r\n\r\n"),
        Case("RFC 9110 8.6 sign", start + "Content-Length: +5\r\n\r\n"),
        Case("RFC 9110 8.6 fraction", start + "Content-Length: 5.0\r\n\r\n"),
        Case("RFC 9110 8.6 inner space", start + "Content-Length: 5 5\r\n\r\n"),
        Case("RFC 9110 8.6 digits beyond ASCII", start + "Content-Length: \u{665}\r\n\r\n"),
        Case(
            "RFC 9112 6.3 two different lengths",
            start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        Case("RFC 9110 8.6 negative", start + "Content-Length: -5\r\n\r\n"),
        Case("RFC 9110 8.6 hexadecimal", start + "Content-Length: 0x5\r\n\r\n"),
        Case("RFC 9110 8.6 empty", start + "Content-Length: \r\n\r\n"),
        Case("RFC 9110 8.6 overflow", start + "Content-Length: 9223372036854775808\r\n\r\n"),
        Case("RFC 9110 8.6 far overflow", start + "Content-Length: 99999999999999999999\r\n\r\n"),
    ]

    static let targets = [
        Case("RFC 9112 3.2 no Host", "GET / HTTP/1.1\r\n\r\n"),
        Case("RFC 9112 3.2 two Hosts", start + "Host: a\r\n\r\n"),
        Case("RFC 9112 3.2 bad Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        Case("RFC 9112 3.2 empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
        Case("RFC 3986 3.2.1 user info in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        Case("RFC 3986 3.2.3 bad port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n"),
        Case("RFC 3986 3.2.3 port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
        Case(
            "RFC 1035 2.3.4 longer than a name may be",
            "GET / HTTP/1.1\r\nHost: " + String(repeating: "a", count: 262) + "\r\n\r\n"),
        Case("RFC 3986 3.2.2 empty brackets", "GET / HTTP/1.1\r\nHost: []:80\r\n\r\n"),
        Case("RFC 3986 3.2.2 no address in brackets", "GET / HTTP/1.1\r\nHost: [:::]\r\n\r\n"),
        Case("RFC 3986 3.2.2 IPv4 in brackets", "GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n"),
        Case("RFC 6874 zone", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n"),
        Case("RFC 3986 3.2.2 behind brackets", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"),
        Case("RFC 9112 3.2 list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        Case("RFC 3986 3.2.2 path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        Case("RFC 9112 3.2.2 absolute form without Host", "GET http://a/ HTTP/1.1\r\n\r\n"),
        Case("RFC 9112 3.2.2 no authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 3986 3.2.2 open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
        Case("RFC 9112 3.2.2 user info", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 3.2.2 other scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 3.2.3 authority form", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 3.2.4 asterisk with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 9112 3.2 fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 3986 2 beyond ASCII", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 3986 2 backslash", "GET /\\x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 3986 2 backslash behind", "GET /a\\?x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 3986 2 backslash, absolute", "GET http://a/\\?x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 3986 2 backslash in a host", "GET http://a\\b/?x HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 3986 2 control in a query", "GET /?\\\u{1} HTTP/1.1\r\nHost: a\r\n\r\n"),
        Case("RFC 3986 2 control", "GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    @Test(arguments: lines)
    func `a bad line is refused`(_ case: Case) {
        #expect(Parsed(`case`.request).refusal == `case`.status)
    }

    @Test(arguments: fields)
    func `a bad field is refused`(_ case: Case) {
        #expect(Parsed(`case`.request).refusal == `case`.status)
    }

    @Test(arguments: framing)
    func `framing in doubt is refused`(_ case: Case) {
        #expect(Parsed(`case`.request).refusal == `case`.status)
    }

    @Test(arguments: targets)
    func `a bad target or host is refused`(_ case: Case) {
        #expect(Parsed(`case`.request).refusal == `case`.status)
    }

    @Test func `a request line over the limit is 414 and a head over it 431`() {
        let long = String(repeating: "a", count: 2000)
        #expect(Parsed("GET /\(long)", limit: 1024).refusal == 414)
        #expect(Parsed("GET /\(long) HTTP/1.1\r\n\r\n", limit: 1024).refusal == 414)
        #expect(Parsed("GET / HTTP/1.1\r\nX: \(long)", limit: 1024).refusal == 431)
        #expect(
            Parsed("GET / HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n", limit: 1024).refusal == 431)
    }
}
