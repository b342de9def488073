internal import Testing

@testable internal import HTTPWire

/// Fields behind a chunked body: RFC 9110 section 6.5, RFC 9112 section 7.1.2.
@Suite struct TrailerTests {
    /// Passes a chunked body on with its trailers, as it comes in pieces; nil: it is bad.
    private func passed(_ body: String, step: Int = .max) -> String? {
        let bytes = Array(body.utf8)
        var decoder = BodyDecoder(.chunked, holdsTrailers: true)
        var position = 0
        var available = min(step, bytes.count)
        var isBad = false
        let out = written { sink in
            while !decoder.isEnded {
                let piece = bytes.span.extracting(position..<available)
                let event = piece.isEmpty ? .needMore(consumed: 0) : decoder.next(piece, limit: 64)
                switch event {
                case .data(let consumed, let range):
                    BodyFrame.write(piece.extracting(range), chunked: true, into: &sink)
                    position += consumed
                case .needMore(let consumed):
                    position += consumed
                    if available == bytes.count { return }
                    available += min(step, bytes.count - available)
                case .end(let consumed):
                    let start = consumed - decoder.trailerLength
                    BodyFrame.writeEnd(
                        trailers: piece.extracting(start..<consumed), into: &sink)
                    position += consumed
                case .bad:
                    isBad = true
                    return
                }
            }
        }
        return isBad ? nil : out
    }

    @Test func `trailers are passed on behind the last chunk, however they come`() {
        let body = "5\r\nhello\r\n0\r\nGrpc-Status: 0\r\nX-Sum:abc\r\n\r\n"
        for step in [1, 2, 3, 7, .max] {
            #expect(
                passed(body, step: step)?.hasSuffix(
                    "0\r\nGrpc-Status: 0\r\nX-Sum:abc\r\n\r\n") == true)
        }
        #expect(passed(body) == body)
        #expect(passed("0\r\n\r\n") == "0\r\n\r\n")
    }

    static let forbidden = [
        "Content-Length: 1", "Transfer-Encoding: chunked", "Host: b", "Connection: x", "TE: x",
        "Upgrade: x", "Trailer: x", "Set-Cookie: a=b", "Cookie: a=b", "Authorization: x",
        "WWW-Authenticate: x", "Proxy-Authorization: x", "Content-Type: x", "Content-Encoding: x",
        "Content-Range: x", "Range: x", "If-Match: x", "If-None-Match: x", "If-Range: x",
        "If-Modified-Since: x", "If-Unmodified-Since: x", "Cache-Control: x", "Expires: x",
        "Age: 1", "Vary: x", "Date: x", "Location: x", "Retry-After: 1", "Warning: x",
        "Max-Forwards: 1", "Expect: x", "Pragma: x", "Early-Data: 1", "X-Forwarded-For: 1",
        "X-Forwarded-Port: 1", "Forwarded: x", "Via: x", "Mooring-Session: x", "Mooring-Pin: pin",
        "x_forwarded_for: 1", "content_type: x", "set_cookie: x", "AUTHORIZATION: x",
    ]

    @Test(arguments: forbidden)
    func `what may not come late is taken out (RFC 9110 6.5.1)`(_ line: String) {
        #expect(passed("0\r\nA: 1\r\n\(line)\r\nb_c: 2\r\n\r\n") == "0\r\nA: 1\r\nb_c: 2\r\n\r\n")
    }

    @Test func `what is held is bounded, and there is room asked for it`() {
        let line = "X: " + String(repeating: "a", count: 4089) + "\r\n"
        let whole = "0\r\n" + line + "\r\n"
        #expect(passed(whole, step: 50) == whole)
        #expect(whole.utf8.count <= BodyFrame.endRoom)
        #expect(passed("0\r\nX" + line + "\r\n") == nil)
        #expect(passed("0\r\nXX" + line, step: 50) == nil)
    }

    @Test func `before trailers are read their room is asked for`() {
        var decoder = BodyDecoder(.chunked, holdsTrailers: true)
        let bytes = Array("1\r\na\r\n0\r\nX: y\r\n\r\n".utf8)
        #expect(decoder.roomWanted == BodyFrame.overhead + 1)
        #expect(decoder.next(bytes.span, limit: 9) == .data(consumed: 4, 3..<4))
        let rest = bytes.span.extracting(4...)
        #expect(decoder.next(rest, limit: 9) == .data(consumed: 5, 5..<5))
        #expect(decoder.roomWanted == BodyFrame.endRoom)
    }

    private func passes(_ fields: String) -> (passes: Bool, accepts: Bool, forwarded: String) {
        let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        let forwarded = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []),
                forwarded: Span(),
                into: &sink)
        }
        return (head.passesTrailers, head.acceptsTrailers, forwarded)
    }

    @Test func `a client accepts trailers when its own TE names them (RFC 9110 10.1.4)`() {
        let asked = passes("TE: gzip, trailers\r\nConnection: TE\r\n")
        #expect(asked.accepts)
        #expect(asked.forwarded.contains("Connection: TE\r\nTE: trailers\r\n"))
        #expect(!asked.forwarded.contains("gzip"))
        // Left over from an earlier hop: not meant for us.
        let stale = passes("TE: trailers\r\n")
        #expect(!stale.accepts && !stale.forwarded.contains("TE"))
        #expect(!passes("TE: gzip\r\nConnection: TE\r\n").accepts)
    }

    @Test func `trailers of a chunked request pass, and so does their announcement`() {
        let chunked = "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n"
        #expect(passes(chunked).passes)
        #expect(passes(chunked).forwarded.contains("Trailer: X-Sum\r\n"))
        #expect(!passes("Content-Length: 0\r\nTrailer: X-Sum\r\n").passes)
        #expect(!passes("Content-Length: 0\r\nTrailer: X-Sum\r\n").forwarded.contains("Trailer"))
    }

    @Test func `none pass where Connection names fields that could be among them`() {
        // RFC 9110 section 7.6.1: such fields are taken out of trailers too.
        let chunked = "Transfer-Encoding: chunked\r\nConnection: x-sum\r\nTrailer: X-Sum\r\n"
        #expect(!passes(chunked).passes)
        #expect(!passes(chunked).forwarded.contains("Trailer"))
        #expect(passes("Transfer-Encoding: chunked\r\nConnection: close, te\r\n").passes)
    }

    @Test func `a response's announcement is passed on with its trailers`() {
        let bytes = Array(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n".utf8)
        let date = Array("now".utf8)
        var head = ResponseHead()
        var scan = 0
        #expect(
            head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
                == .complete)
        let passes = head.passesTrailers
        #expect(passes)
        for trailers in [true, false] {
            let forwarded = written { sink in
                head.write(
                    from: bytes.span, framing: .chunked, closes: false, date: date.span,
                    setCookie: Span(), trailers: trailers, into: &sink)
            }
            #expect(forwarded.contains("Trailer: X-Sum\r\n") == trailers)
        }
    }

    @Test func `of a response that names fields in Connection no trailers pass`() {
        for (options, isPassed) in [("close", true), ("keep-alive, x-sum", false)] {
            let bytes = Array(
                ("HTTP/1.1 200 OK\r\nConnection: \(options)\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n").utf8)
            var head = ResponseHead()
            var scan = 0
            _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
            let passes = head.passesTrailers
            #expect(passes == isPassed)
        }
    }
}
