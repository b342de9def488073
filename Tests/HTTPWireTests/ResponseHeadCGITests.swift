internal import Testing

@testable internal import HTTPWire

/// The head of a response as CGI programs write it (RFC 3875 section 6).
@Suite struct ResponseHeadCGITests {
    private struct Parsed {
        var result: HeadParse
        var status: UInt16 = 0
        var body = BodyFraming.none
        var headLength = 0
        var forwarded = ""

        init(_ text: String, to method: RequestMethod = .get) {
            let bytes = Array(text.utf8)
            var head = ResponseHead()
            var scan = 0
            result = head.parseCGI(
                bytes.span, resumeFrom: &scan, limit: 200, requestMethod: method)
            guard result == .complete else { return }
            let keepsAlive = head.keepAlive
            #expect(keepsAlive, "the protocol says whether its connection is kept")
            status = head.status
            body = head.body
            headLength = head.headLength
            forwarded = written { sink in
                head.write(
                    from: bytes.span, framing: .none, closes: false, date: Span(),
                    setCookie: Span(), into: &sink)
            }
        }

        var isRefused: Bool {
            if case .rejected(let problem) = result { return problem.status == 502 }
            return false
        }
    }

    @Test func `the status is a field, and becomes the status line`() {
        let parsed = Parsed("X-A: b\r\nStatus: 404 Not here\r\nContent-Type: text/html\r\n\r\nbody")
        #expect(parsed.status == 404)
        #expect(parsed.forwarded.hasPrefix("HTTP/1.1 404 Not here\r\nX-A: b\r\nContent-Type:"))
        #expect(!parsed.forwarded.contains("Status:"))
        #expect(parsed.body == .untilClose)
    }

    @Test func `a status without a reason is one`() {
        #expect(Parsed("Status: 204\n\n").forwarded.hasPrefix("HTTP/1.1 204 \r\n"))
    }

    @Test func `without a status it is 200, and 302 where there is a place to go to`() {
        #expect(Parsed("Content-Type: a/b\n\n").forwarded.hasPrefix("HTTP/1.1 200 OK\r\n"))
        let moved = Parsed("Location: http://a/\r\nX: y\r\n\r\n")
        #expect(moved.forwarded.hasPrefix("HTTP/1.1 302 Found\r\nLocation: http://a/\r\n"))
        #expect(Parsed("Location: /local\n\n").status == 302)
        #expect(Parsed("Location: /local\nStatus: 201 Created\n\n").status == 201)
        #expect(Parsed("Location:\nX: y\n\n").status == 200)
    }

    @Test func `lines may end without CR, and are passed on with it`() {
        let parsed = Parsed("Content-Type: a/b\nX-C: d\n\nbody")
        #expect(parsed.headLength == 26)
        #expect(parsed.forwarded.contains("\r\nContent-Type: a/b\r\nX-C: d\r\n"))
    }

    @Test func `a length is kept to, and HEAD, 204 and 304 have no body`() {
        #expect(Parsed("Content-Length: 5\n\n").body == .length(5))
        #expect(Parsed("Content-Length: 5\n\n", to: .head).body == .none)
        #expect(Parsed("Status: 204 No\n\n").body == .none)
        #expect(Parsed("Status: 304 Not\nContent-Length: 5\n\n").body == .none)
    }

    @Test func `what a program says of its connection is not passed on`() {
        let parsed = Parsed(
            "Connection: close, X-A\r\nKeep-Alive: timeout=1\r\nTransfer-Encoding: chunked\r\n"
                + "Upgrade: x\r\nX-A: kept\r\n\r\n")
        #expect(parsed.body == .untilClose)
        #expect(parsed.forwarded.contains("X-A: kept\r\n"))
        for name in ["Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade"] {
            #expect(!parsed.forwarded.contains(name), "\(name)")
        }
    }

    static let bad = [
        "HTTP/1.1 200 OK\r\nX: y\r\n\r\n", "Status: 100 Continue\n\n", "Status: 101 x\n\n",
        "Status: 20\n\n", "Status: abc\n\n", "Status: 2000\n\n", "Status: 200x\n\n", "Status:\n\n",
        "Status: 200\nStatus: 200\n\n", "no colon\n\n", "\n\nbody", ": x\n\n", " X: y\n\n",
        "X: \u{1}\n\n", "X: a\rb\n\n", "Content-Length: 5\nContent-Length: 5\n\n",
        "Content-Length: x\n\n", "X: " + String(repeating: "y", count: 200) + "\n\n",
        "X: " + String(repeating: "y", count: 300),
    ]

    @Test(arguments: bad) func `a head that is none is refused`(_ text: String) {
        #expect(Parsed(text).isRefused)
    }

    @Test func `a head that has not come is waited for`() {
        let text = "Status: 200 OK\r\nX: y\r\n\r\n"
        for length in 1..<text.utf8.count {
            let beginning = String(decoding: text.utf8.prefix(length), as: UTF8.self)
            #expect(Parsed(beginning).result == .incomplete, "\(length) bytes")
        }
    }

    @Test func `the end of a body comes separately`() {
        var decoder = BodyDecoder(streamed: .length(3))
        let bytes = Array("abcdef".utf8)
        #expect(decoder.next(bytes.span, limit: 2) == .data(consumed: 2, 0..<2))
        #expect(decoder.next(bytes.span, limit: 9) == .data(consumed: 1, 0..<1))
        #expect(!decoder.isEnded, "the process has not said so")
        #expect(
            decoder.next(bytes.span, limit: 9) == .data(consumed: 6, 0..<0), "beyond the length")
        let isWhole = decoder.endStream()
        #expect(isWhole && decoder.isEnded)
        var short = BodyDecoder(streamed: .length(3))
        #expect(short.next(bytes.span, limit: 2) == .data(consumed: 2, 0..<2))
        let isShort = !short.endStream()
        #expect(isShort)
        var none = BodyDecoder(streamed: .none)
        #expect(none.next(bytes.span, limit: 2) == .data(consumed: 6, 0..<0))
        let isNone = none.endStream()
        #expect(isNone && none.endedBesideIt)
        var open = BodyDecoder(streamed: .untilClose)
        #expect(open.next(bytes.span, limit: 4) == .data(consumed: 4, 0..<4))
        let isOpenEnded = open.endStream()
        #expect(isOpenEnded && !open.endsWithConnection)
    }
}
