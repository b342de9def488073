internal import Testing

@testable internal import HTTPWire

/// Fields that the configuration adds to responses.
@Suite struct ExtraFieldsTests {
    private func applied(
        _ extra: ExtraFields, to lines: String..., cookie: String = ""
    ) -> String {
        let cookie = Array(cookie.utf8)
        let bytes = Array(
            ("HTTP/1.1 200 OK\r\n" + lines.map { $0 + "\r\n" }.joined()
                + "Content-Length: 0\r\n\r\n").utf8)
        let date = Array("now".utf8)
        var head = ResponseHead()
        var scan = 0
        #expect(
            head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
                == .complete)
        head.remove(replacedBy: extra, in: bytes.span)
        return written { sink in
            head.write(
                from: bytes.span, framing: .length, closes: false, date: date.span,
                setCookie: cookie.span, extra: extra, into: &sink)
        }
    }

    @Test func `they take the place of the process's own, in any case`() {
        let extra = ExtraFields([("X-Frame-Options", "DENY"), ("Server", "")])
        let text = applied(extra, to: "x-frame-options: SAMEORIGIN", "Server: x/1", "X-Other: 1")
        #expect(text.contains("\r\nX-Frame-Options: DENY\r\n") && text.contains("X-Other: 1\r\n"))
        #expect(!text.contains("SAMEORIGIN") && !text.lowercased().contains("server:"))
    }

    @Test func `those of a route stand over those of the listener`() {
        let both = ExtraFields([("A", "route")]).over(ExtraFields([("a", "listener"), ("B", "b")]))
        #expect(written { both.write(into: &$0) } == "A: route\r\nB: b\r\n")
    }

    @Test func `HSTS is sent over TLS alone (RFC 6797 section 7.2)`() {
        let extra = ExtraFields([("Strict-Transport-Security", "max-age=1")])
        #expect(extra.suiting(isSecure: false, setsCookie: false).isEmpty)
        #expect(!extra.suiting(isSecure: true, setsCookie: true).isEmpty)
    }

    @Test func `no cache is allowed to keep a response that sets the cookie`() {
        let extra = ExtraFields([("Cache-Control", "public"), ("CDN-Cache-Control", "max-age=9")])
        #expect(extra.suiting(isSecure: true, setsCookie: true).isEmpty)
        #expect(!extra.suiting(isSecure: true, setsCookie: false).isEmpty)
    }

    @Test(arguments: ["no-store", "private, max-age=5", "No-Store", "max-age=0,private"])
    func `what keeps shared caches away stands beside the cookie, and alone`(_ value: String) {
        let extra = ExtraFields([("Cache-Control", value), ("CDN-Cache-Control", "max-age=9")])
            .suiting(isSecure: true, setsCookie: true)
        let head = applied(
            extra, to: "Cache-Control: public", cookie: "Set-Cookie: mooring=x\r\n")
        #expect(head.contains("\r\nCache-Control: \(value)\r\n"))
        #expect(head.split(separator: "Cache-Control").count == 2)
    }

    @Test func `an answer that is kept by no cache gets no other word to caches`() {
        let extra = ExtraFields([("Cache-Control", "no-store"), ("Expires", "0"), ("A", "b")])
        #expect(written { extra.withoutCaching.write(into: &$0) } == "A: b\r\n")
    }
}
