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
                + "X-Forwarded-Host: Ex.org:80\r\n")
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

    @Test func `two empty lines before a request line are forgiven (RFC 9112 2.2)`() {
        #expect(Parsed("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").result == .complete)
        #expect(Parsed("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").result != .complete)
    }

    @Test func `HTTP/1.0 is never kept alive, whatever it asks (RFC 9112 9.3)`() {
        let parsed = Parsed("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        #expect(parsed.result == .complete)
        #expect(!parsed.keepAlive)
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
                == "GET / HTTP/1.1\r\nHost: a\r\nStays: 1\r\nX-Forwarded-Host: a\r\n")
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
                == "GET / HTTP/1.1\r\nHost: a\r\nmy_own: 1\r\nX-Forwarded-Host: a\r\n")
        #expect(parsed.cameThroughProxy)
    }

    @Test func `a prefix is stripped and the path stays absolute`() {
        let request = "GET /app/x HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(Parsed(request, strippingPrefix: 4).forwarded.hasPrefix("GET /x HTTP/1.1"))
        let bare = "GET /app?q HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(Parsed(bare, strippingPrefix: 4).forwarded.hasPrefix("GET /?q HTTP/1.1"))
        let whole = "GET /app HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(Parsed(whole, strippingPrefix: 4).forwarded.hasPrefix("GET / HTTP/1.1"))
    }

    @Test func `our cookie is cut out and a field with nothing left is dropped`() {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; m=2\r\nCookie: m=3\r\n\r\n"
        let bytes = Array(request.utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        var removals = Removals()
        let first = request.utf8.count - "; m=2\r\nCookie: m=3\r\n\r\n".utf8.count
        removals.append(first..<first + 5)
        let second = request.utf8.count - "m=3\r\n\r\n".utf8.count
        removals.append(second..<second + 3)
        let forwarded = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, without: removals, forwarded: Span(),
                into: &sink)
        }
        #expect(
            forwarded
                == "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nX-Forwarded-Host: a\r\n")
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
                from: bytes.span, strippingPrefix: 0, without: Removals(), forwarded: Span(),
                into: &sink)
            return sink.overflowed
        }
        #expect(overflowed)
        #expect(memory[20...].allSatisfy { $0 == 7 })
    }

    @Test func `a head that comes byte by byte is read as the whole`() {
        let bytes = Array(
            "\r\nPOST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: yyyyyyyyyyyy\r\n\r\nabc"
                .utf8)
        var head = RequestHead()
        var scan = 0
        var completeAt = 0
        for count in 1...bytes.count {
            let parsed = head.parse(
                bytes.span.extracting(0..<count), resumeFrom: &scan, limit: 8192)
            if parsed == .complete {
                completeAt = count
                break
            }
            #expect(parsed == .incomplete)
        }
        #expect(completeAt == bytes.count - 3)
        #expect(head.headLength == completeAt)
        #expect(head.body == .length(3))
    }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func `mutated heads never trap`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let seedText = Array(
            ("POST http://a:1/b?c HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close, te\r\nTE: x\r\n"
                + "Transfer-Encoding: chunked\r\nCookie: a=1; b=2\r\nX_Forwarded_For: 1\r\n\r\n")
                .utf8)
        for _ in 0..<200 {
            var bytes = seedText
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            let parsed = Parsed(bytes, limit: 256)
            if parsed.result == .complete { #expect(parsed.headLength <= bytes.count) }
        }
    }
}
