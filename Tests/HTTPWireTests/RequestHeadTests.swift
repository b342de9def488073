internal import Testing

@testable internal import HTTPWire

@Suite struct RequestHeadTests {
    @Test func `a plain request is read and forwarded with its own lines`() {
        let parsed = Parsed(
            "GET /a?b=c HTTP/1.1\r\nHost: Ex.org:80\r\nAccept: */*\r\nX-A: 1\r\n\r\n")
        #expect(parsed.method == .get)
        #expect(parsed.path == "/a?b=c")
        #expect(parsed.host == "Ex.org:80")
        #expect(parsed.keepAlive)
        #expect(
            parsed.forwarded
                == "GET /a?b=c HTTP/1.1\r\nHost: Ex.org:80\r\nAccept: */*\r\nX-A: 1\r\n"
                + "Via: 1.1 mooring\r\nX-Forwarded-Host: Ex.org:80\r\n")
    }

    @Test func `the authority of an absolute target replaces Host (RFC 9112 3.2.2)`() {
        let parsed = Parsed("GET http://real.org/x HTTP/1.1\r\nHost: other\r\n\r\n")
        #expect(parsed.host == "real.org")
        #expect(parsed.path == "/x")
        #expect(parsed.forwarded.hasPrefix("GET /x HTTP/1.1\r\nHost: real.org\r\n"))
        #expect(!parsed.forwarded.contains("other"))
    }

    @Test func `an absolute target without a path stands for the root`() {
        let parsed = Parsed("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(parsed.forwarded.hasPrefix("GET /?q HTTP/1.1\r\n"))
    }

    @Test func `eight empty lines before a request line are forgiven (RFC 9112 2.2)`() {
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        for count in [1, 2, 8] {
            let lines = String(repeating: "\r\n", count: count)
            let parsed = Parsed(lines + request)
            #expect(parsed.result == .complete)
            #expect(parsed.headLength == lines.utf8.count + request.utf8.count)
            #expect(Parsed(lines).result == .incomplete)
            #expect(Parsed(String(lines.unicodeScalars.dropLast())).result == .incomplete)
        }
        #expect(Parsed(String(repeating: "\r\n", count: 9) + request).refusal == 400)
        #expect(Parsed("\n" + request).refusal == 400)
    }

    @Test func `HTTP/1.0 is kept alive when it asks for it (RFC 9112 C.2.2)`() {
        func keeps(_ field: String) -> Bool {
            Parsed("GET / HTTP/1.0\r\nHost: a\r\n\(field)\r\n").keepAlive
        }
        #expect(keeps("Connection: keep-alive\r\n"))
        #expect(keeps("Connection: x, Keep-Alive\r\n"))
        #expect(!keeps(""))
        #expect(!keeps("Connection: keep-alive, close\r\n"))
        #expect(!keeps("Keep-Alive: timeout=5\r\n"))
    }

    @Test func `a later minor version is taken for HTTP/1.1 (RFC 9110 2.5)`() {
        for version in ["1.2", "1.9"] {
            let parsed = Parsed(
                "POST / HTTP/\(version)\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            #expect(parsed.keepAlive && parsed.body == .chunked)
            #expect(parsed.forwarded.hasPrefix("POST / HTTP/1.1\r\n"))
            #expect(Parsed("GET / HTTP/\(version)\r\n\r\n").refusal == 400)
        }
    }

    @Test(arguments: [
        "Transfer_Encoding: chunked", "transfer_encoding: x", "Content_Length: 5",
        "CONTENT_LENGTH: 0",
        "Keep_Alive: 5", "Proxy_Connection: close", "Max_Forwards: 0", "Proxy_Authorization: x",
        "Proxy_Authenticate: x", "HTTP2_Settings: x",
    ])
    func `underscores do not make a framing field of another`(_ field: String) {
        let parsed = Parsed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\(field)\r\n\r\n")
        #expect(parsed.body == .length(3))
        #expect(!parsed.forwarded.contains("_"))
    }

    @Test func `close ends the connection (RFC 9112 9.6)`() {
        #expect(!Parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").keepAlive)
    }

    @Test func `hop-by-hop fields and those that Connection names go (RFC 9110 7.6.1)`() {
        let parsed = Parsed(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-secret, keep-alive\r\nX-Secret: 1\r\n"
                + "Keep-Alive: 5\r\nProxy-Connection: y\r\nTE: trailers\r\nUpgrade: h2c\r\n"
                + "Trailer: z\r\nProxy-Authorization: w\r\nStays: 1\r\n\r\n")
        #expect(
            parsed.forwarded
                == "GET / HTTP/1.1\r\nHost: a\r\nStays: 1\r\nVia: 1.1 mooring\r\nX-Forwarded-Host: a\r\n"
        )
    }

    @Test func `a client cannot name away what is ours (CVE-2022-31813)`() {
        let parsed = Parsed(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: host, content-length, cookie\r\n"
                + "Content-Length: 3\r\nCookie: c=1\r\n\r\n")
        #expect(parsed.forwarded.contains("Host: a\r\n"))
        #expect(parsed.forwarded.contains("Content-Length: 3\r\n"))
        #expect(parsed.forwarded.contains("Cookie: c=1\r\n"))
    }

    @Test func `forwarding fields, ours and their spellings with underscores are dropped`() {
        let parsed = Parsed(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1\r\nX_Forwarded_For: 2\r\n"
                + "X-Forwarded-Proto: https\r\nForwarded: for=3\r\nMooring-Session: s\r\n"
                + "Mooring_Session: t\r\nMOORING-AFFINITY: kept\r\nProxy: evil\r\n"
                + "X-Forwarded-Host: b\r\nContent_Length: 9\r\nmy_own: 1\r\n\r\n")
        #expect(
            parsed.forwarded
                == "GET / HTTP/1.1\r\nHost: a\r\nmy_own: 1\r\nVia: 1.1 mooring\r\nX-Forwarded-Host: a\r\n"
        )
        #expect(parsed.cameThroughProxy)
    }

    @Test func `of two fields that CGI would make one variable of the one with underscores goes`() {
        let parsed = Parsed(
            "GET / HTTP/1.1\r\nHost: a\r\nX_User: evil\r\nX-User: good\r\nx_alone: 1\r\n"
                + "X_Alone: 2\r\n\r\n")
        #expect(
            parsed.forwarded
                == "GET / HTTP/1.1\r\nHost: a\r\nX-User: good\r\nx_alone: 1\r\nX_Alone: 2\r\n"
                + "Via: 1.1 mooring\r\nX-Forwarded-Host: a\r\n")
    }

    @Test func `a prefix is stripped and the path stays absolute`() {
        let request = "GET /app/x HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(Parsed(request, strippingPrefix: 4).forwarded.hasPrefix("GET /x HTTP/1.1"))
        let bare = "GET /app?q HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(Parsed(bare, strippingPrefix: 4).forwarded.hasPrefix("GET /?q HTTP/1.1"))
        let whole = "GET /app HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(Parsed(whole, strippingPrefix: 4).forwarded.hasPrefix("GET / HTTP/1.1"))
    }

    @Test func `a backslash in the query is passed as it came`() {
        for target in ["/a?q=C:\\Temp", "http://a/?\\", "http://a?x\\"] {
            let parsed = Parsed("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(parsed.result == .complete)
            let query = target.drop { $0 != "?" }
            #expect(parsed.forwarded.contains("\(query) HTTP/1.1\r\n"))
        }
    }

    @Test func `a path that was resolved is sent in place of the one that came`() {
        let bytes = Array("GET http://a/app/x/../y?q HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        let resolved = Array("/app/y?q".utf8)
        let forwarded = written { sink in
            head.write(
                from: bytes.span, resolved: resolved.span, strippingPrefix: 4,
                hiding: OwnCookies(names: []),
                forwarded: Span(), into: &sink)
        }
        #expect(forwarded.hasPrefix("GET /y?q HTTP/1.1\r\nHost: a\r\n"))
    }

    @Test func `our cookie is cut out and a field with nothing left is dropped`() {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; m=2\r\nCookie: m=3\r\n\r\n"
        let bytes = Array(request.utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        let forwarded = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: ["m"]),
                forwarded: Span(),
                into: &sink)
        }
        #expect(
            forwarded
                == "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nVia: 1.1 mooring\r\nX-Forwarded-Host: a\r\n"
        )
    }

    @Test func `a sink that is too small overflows and is never overrun`() {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: 12345678\r\n\r\n".utf8)
        var head = RequestHead()
        var scan = 0
        _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192)
        var memory = [UInt8](repeating: 7, count: 64)
        let overflowed = unsafe memory.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(UnsafeMutableBufferPointer(rebasing: buffer[0..<20]))
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []),
                forwarded: Span(),
                into: &sink)
            return sink.overflowed
        }
        #expect(overflowed)
        #expect(memory[20...].allSatisfy { $0 == 7 })
    }

    @Test func `OPTIONS on a whole server keeps its asterisk (RFC 9112 3.2.4)`() {
        let plain = Parsed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(plain.forwarded.hasPrefix("OPTIONS * HTTP/1.1\r\nHost: a\r\n"))
        let absolute = Parsed("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(absolute.forwarded.hasPrefix("OPTIONS * HTTP/1.1\r\nHost: b\r\n"))
    }

    @Test func `any number of our cookies is cut out, and nothing else`() {
        let pairs = (1...30).map { "m=\($0); __Host-m=x; c\($0)=y" }.joined(separator: "; ")
        let rest = (1...30).map { "c\($0)=y" }.joined(separator: "; ")
        #expect(forwarded("a=1; \(pairs);;", hiding: ["m"]) == "a=1; \(rest)")
    }

    @Test(arguments: [
        ("a=1; m=x; b=2", "a=1; b=2"), ("m=x", nil), ("m=x; m=y", nil), ("a=1;m=x;b=2", "a=1; b=2"),
        ("  m = x ;  a=1", "a=1"), ("a=1;b=2;", "a=1;b=2;"), ("M=x; a=1", "a=1"),
        ("__Host-m=x; a=1", "a=1"), ("__SECURE-m=x", nil), ("other=x; a=1", "a=1"),
        ("mm=x; m; a=m=x", "mm=x; m; a=m=x"), ("m=\"a b\"; c", "c"),
    ])
    func `cookies of all groups are cut out`(field: String, left: String?) {
        #expect(forwarded(field, hiding: ["m", "other"]) == left)
    }

    @Test func `a cookie that the process is to see stays, another group's does not`() {
        #expect(forwarded("m=1; other=2; a=3", hiding: ["m", "other"], keeping: "m") == "m=1; a=3")
    }

    /// What is left of a `Cookie` value; nil: no field.
    private func forwarded(
        _ field: String, hiding names: [String], keeping: String = ""
    ) -> String? {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nCookie: \(field)\r\n\r\n".utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        let kept = Array(keeping.utf8)
        let text = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: names),
                keeping: kept.span, forwarded: Span(), into: &sink)
        }
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("Cookie: ") }
        return line.map { String($0.dropFirst(8)) }
    }

    @Test func `a client that waits for a 100 has a body and speaks HTTP 1.1 (RFC 9110 10.1.1)`() {
        func waits(_ version: String, _ length: String) -> Bool {
            Parsed(
                "PUT / HTTP/1.\(version)\r\nHost: a\r\nExpect: 100-Continue\r\n\(length)\r\n"
            ).expectContinue
        }
        #expect(waits("1", "Content-Length: 3\r\n"))
        #expect(waits("1", "Transfer-Encoding: chunked\r\n"))
        #expect(!waits("1", "Content-Length: 0\r\n"))
        #expect(!waits("1", ""))
        #expect(!waits("0", "Content-Length: 3\r\n"))
    }

    @Test func `an expectation is forwarded only where the process should be asked`() {
        let bytes = Array(
            "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n".utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        for expects in [true, false] {
            let forwarded = written { sink in
                head.write(
                    from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []),
                    forwarded: Span(),
                    expectsContinue: expects, into: &sink)
            }
            #expect(forwarded.contains("\r\nExpect: 100-continue\r\n") == expects)
        }
    }

    @Test func `what cannot become a request is refused by its first byte`() {
        #expect(Parsed("\u{16}\u{3}\u{1}").refusal == 400)
        #expect(Parsed("\r\n {").refusal == 400)
        #expect(Parsed("\rG").refusal == 400)
        #expect(Parsed("\r").result == .incomplete)
        #expect(Parsed("\r\n\r").result == .incomplete)
        #expect(Parsed("").result == .incomplete)
    }

    @Test func `the host of an absolute target is not the next request's`() {
        var head = RequestHead()
        var scan = 0
        let absolute = Array("GET http://first/ HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(head.parse(absolute.span, resumeFrom: &scan, limit: 8192) == .complete)
        scan = 0
        let plain = Array("GET / HTTP/1.1\r\nX: yyyyyyyyyyyyy\r\nHost: second\r\n\r\n".utf8)
        #expect(head.parse(plain.span, resumeFrom: &scan, limit: 8192) == .complete)
        #expect(text(plain, head.host.range) == "second")
    }

    @Test func `nothing of the request before shows after a refusal`() {
        var head = RequestHead()
        var scan = 0
        let good = Array("HEAD /long/path HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(head.parse(good.span, resumeFrom: &scan, limit: 8192) == .complete)
        scan = 0
        let bad = Array("\n".utf8)
        #expect(head.parse(bad.span, resumeFrom: &scan, limit: 8192) != .complete)
        #expect(head.requestLine.isEmpty)
        #expect(head.method == .other)
    }
}
