internal import Testing

@testable internal import HTTPWire

/// What a proxy must and may change on the way, each with its section.
@Suite struct ForwardingTests {
    private func request(_ lines: String) -> Parsed { Parsed("\(lines)\r\n") }

    @Test func `a target of 8000 octets is taken (RFC 9112 3)`() {
        let path = "/" + String(repeating: "a", count: 7999)
        #expect(request("GET \(path) HTTP/1.1\r\nHost: a\r\n").path == path)
    }

    @Test func `the method is case-sensitive and unknown ones pass (RFC 9110 9.1)`() {
        let lower = request("get / HTTP/1.1\r\nHost: a\r\n")
        #expect(lower.method == .other)
        #expect(lower.forwarded.hasPrefix("get / HTTP/1.1\r\n"))
        #expect(request("PROPFIND /x HTTP/1.1\r\nHost: a\r\n").forwarded.hasPrefix("PROPFIND /x "))
    }

    @Test func `an OPTIONS is counted down on its way (RFC 9110 7.6.2)`() {
        func options(_ hops: String) -> String {
            request("OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: \(hops)\r\n").forwarded
        }
        #expect(options("10").contains("Max-Forwards: 9\r\n"))
        #expect(!options("10").contains("10"))
        #expect(options("0007").contains("Max-Forwards: 6\r\n"))
    }

    @Test func `an OPTIONS that may go no further is known (RFC 9110 7.6.2)`() {
        func hops(_ text: String) -> UInt64? {
            let bytes = Array("\(text)\r\n".utf8)
            var head = RequestHead()
            var scan = 0
            _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192)
            return head.maxForwards
        }
        #expect(hops("OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n") == 0)
        #expect(hops("OPTIONS * HTTP/1.1\r\nHost: a\r\n") == nil)
        #expect(hops("GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n") == nil)
    }

    @Test func `for other methods Max-Forwards means nothing and passes (RFC 9110 7.6.2)`() {
        #expect(
            request("GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n").forwarded
                .contains("Max-Forwards: x\r\n"))
    }

    @Test func `the answer to an OPTIONS tells methods and has no body (RFC 9110 9.3.7)`() {
        let date = Array("now".utf8)
        let answer = written { sink in
            OptionsAnswer.write(
                details: "Max-Forwards is 0", date: date.span, closes: true, into: &sink
            ) { _ in }
        }
        #expect(
            answer == "HTTP/1.1 200 OK\r\nDate: now\r\n"
                + "Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n"
                + "Proxy-Status: mooring; details=\"Max-Forwards is 0\"\r\n"
                + "Content-Length: 0\r\nConnection: close\r\n\r\n")
    }

    @Test func `a client's Via stays, and ours follows it (RFC 9110 7.6.3)`() {
        let parsed = request("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 fred\r\n")
        #expect(parsed.forwarded.contains("Via: 1.0 fred\r\nVia: 1.1 mooring\r\n"))
        #expect(parsed.cameThroughProxy)
    }

    @Test func `a request's Via tells the version that the client speaks (RFC 9110 7.6.3)`() {
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\n").forwarded.contains("Via: 1.1 mooring\r\n"))
        #expect(request("GET / HTTP/1.0\r\nHost: a\r\n").forwarded.contains("Via: 1.0 mooring\r\n"))
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        var head = RequestHead()
        var scan = 0
        _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192)
        let forwarded = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []),
                forwarded: Span(),
                overHTTP2: true, into: &sink)
        }
        #expect(forwarded.contains("Via: 2.0 mooring\r\n") && !forwarded.contains("Via: 1"))
    }

    @Test func `a response's Via tells the version that the process speaks (RFC 9110 7.6.3)`() {
        func via(_ version: String) -> String {
            ParsedResponse("HTTP/\(version) 200 OK\r\nVia: 1.1 z\r\nContent-Length: 0\r\n\r\n")
                .forwarded
        }
        #expect(via("1.1").contains("Via: 1.1 z\r\n"))
        #expect(via("1.1").contains("Via: 1.1 mooring\r\n"))
        #expect(via("1.0").contains("Via: 1.0 mooring\r\n"))
    }

    @Test func `Set-Cookie lines are never joined (RFC 9110 5.3)`() {
        let lines = "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        let parsed = ParsedResponse("HTTP/1.1 200 OK\r\n\(lines)Content-Length: 0\r\n\r\n")
        #expect(parsed.forwarded.contains(lines))
    }

    @Test func `a process's Date stays (RFC 9110 6.6.1)`() {
        let parsed = ParsedResponse("HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 0\r\n\r\n")
        #expect(parsed.forwarded.contains("Date: then\r\n"))
        #expect(parsed.forwarded.ranges(of: "Date:").count == 1)
    }

    @Test func `a status without a reason keeps its space (RFC 9112 4)`() {
        let parsed = ParsedResponse("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")
        #expect(parsed.forwarded.hasPrefix("HTTP/1.1 200 \r\n"))
    }

    @Test func `a reason that stands for none is left out`() {
        let parsed = ParsedResponse("HTTP/1.1 299 <none>\r\nContent-Length: 0\r\n\r\n")
        #expect(parsed.forwarded.hasPrefix("HTTP/1.1 299 \r\n"))
        let other = ParsedResponse("HTTP/1.1 299 <nine>\r\nContent-Length: 0\r\n\r\n")
        #expect(other.forwarded.hasPrefix("HTTP/1.1 299 <nine>\r\n"))
    }

    @Test func `several Cookie lines are joined at the place of the first (RFC 6265 5.4)`() {
        let parsed = request(
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2\r\nX: y\r\nCookie: ;\r\ncookie: c=3;\r\nZ: z\r\n"
        )
        #expect(parsed.forwarded.contains("\r\nCookie: a=1; b=2; c=3\r\nX: y\r\nZ: z\r\n"))
        #expect(parsed.forwarded.lowercased().ranges(of: "cookie:").count == 1)
    }

    @Test func `hidden cookies are left out of several lines, and an empty one is none`() {
        func forwarded(_ lines: String) -> String {
            let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n".utf8)
            var head = RequestHead()
            var scan = 0
            _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192)
            return written { sink in
                head.write(
                    from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: ["mooring"]),
                    forwarded: Span(), into: &sink)
            }
        }
        let some = forwarded("Cookie: mooring=x; a=1\r\nCookie: b=2; mooring=y\r\n")
        #expect(some.contains("\r\nCookie: a=1; b=2\r\n") && !some.contains("mooring="))
        #expect(!forwarded("Cookie: mooring=x\r\nCookie: mooring=y\r\n").contains("Cookie"))
    }

    @Test func `a target is escaped for a server that wants it, and for no other (RFC 3986)`() {
        func target(_ target: String, escaping: Bool) -> String {
            let bytes = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
            var head = RequestHead()
            var scan = 0
            _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192)
            let line = written { sink in
                head.write(
                    from: bytes.span, strippingPrefix: 2, inASCII: escaping,
                    hiding: OwnCookies(names: []), forwarded: Span(), into: &sink)
            }
            return String(line.prefix { $0 != "\r\n" }.dropFirst(4).dropLast(9))
        }
        let loose = "/p/<a>`\"{|}?\"<b>`?`\"%3C"
        #expect(target(loose, escaping: false) == loose.dropFirst(2))
        #expect(target(loose, escaping: true) == "/%3Ca%3E%60\"{|}?%22%3Cb%3E`?`%22%3C")
        #expect(target("/p/plain?x=%22", escaping: true) == "/plain?x=%22")
    }

    private func informational(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        var head = ResponseHead()
        var scan = 0
        let result = head.parse(
            bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
        guard result == .complete, head.isInformational else { return nil }
        return written { head.writeInformational(from: bytes.span, into: &$0) }
    }

    @Test func `1xx pass with their fields and without any framing (RFC 9110 15.2, 8.6)`() {
        #expect(
            informational(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 3\r\n"
                    + "Connection: x\r\nX: 1\r\nSet-Cookie: mooring=evil\r\n\r\n")
                == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        #expect(
            informational("HTTP/1.1 102 P\r\nTransfer-Encoding: chunked\r\n\r\n")
                == "HTTP/1.1 102 P\r\n\r\n")
        #expect(informational("HTTP/1.1 100 Continue\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test func `no transfer coding is sent where there is no body (RFC 9112 6.1)`() {
        for status in ["204 N", "304 N"] {
            let parsed = ParsedResponse(
                "HTTP/1.1 \(status)\r\nTransfer-Encoding: chunked\r\n\r\n", framing: .none)
            #expect(parsed.body == .none)
            #expect(!parsed.forwarded.contains("Transfer-Encoding"))
        }
    }

    @Test func `Proxy, which CGI makes an environment variable of, never passes (CVE-2016-5385)`() {
        #expect(!request("GET / HTTP/1.1\r\nHost: a\r\nPROXY: x\r\n").forwarded.contains("PROXY"))
    }

    @Test func `a second request behind the first is not touched (RFC 9112 9.3.2)`() {
        let first = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        let parsed = Parsed(first + "GET /2 HTTP/1.1\r\nHost: b\r\n\r\n")
        #expect(parsed.headLength == first.utf8.count)
        #expect(parsed.path == "/1")
    }
}
