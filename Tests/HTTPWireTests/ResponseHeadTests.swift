internal import Testing

@testable internal import HTTPWire

@Suite struct ResponseHeadTests {
    private static let date = "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n"

    @Test func `a response is forwarded with its lines, a date and its length`() {
        let parsed = ParsedResponse("HTTP/1.1 200 Fine\r\nX: y\r\nContent-Length: 3\r\n\r\n")
        #expect(parsed.body == .length(3))
        #expect(parsed.keepAlive)
        #expect(
            parsed.forwarded
                == "HTTP/1.1 200 Fine\r\nX: y\r\n\(Self.date)Via: 1.1 mooring\r\n"
                + "Content-Length: 3\r\n\r\n")
    }

    @Test func `a head over the limit is refused before its end has come`() {
        let text = "HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 9000)
        #expect(ParsedResponse(text).isRefused)
        #expect(ParsedResponse(text + "\r\n\r\n").isRefused)
    }

    @Test func `a status without a class is passed and has a body (RFC 9110 15)`() {
        let parsed = ParsedResponse("HTTP/1.1 999\r\nContent-Length: 3\r\n\r\n")
        #expect(parsed.status == 999)
        #expect(parsed.body == .length(3))
    }

    @Test func `HEAD, 1xx, 204 and 304 have no body whatever they say (RFC 9112 6.3)`() {
        let length = "Content-Length: 3\r\n\r\n"
        #expect(ParsedResponse("HTTP/1.1 200 OK\r\n" + length, to: .head).body == .none)
        #expect(ParsedResponse("HTTP/1.1 103 Hints\r\n" + length).body == .none)
        #expect(ParsedResponse("HTTP/1.1 204 No\r\n" + length).body == .none)
        #expect(ParsedResponse("HTTP/1.1 304 No\r\n" + length).body == .none)
    }

    @Test func `204 is forwarded without a length (RFC 9110 8.6) and 304 with it`() {
        let length = "Content-Length: 3\r\n\r\n"
        #expect(
            !ParsedResponse("HTTP/1.1 204 No\r\n" + length, framing: .none).forwarded
                .contains("Content-Length"))
        #expect(
            ParsedResponse("HTTP/1.1 304 No\r\n" + length, framing: .none).forwarded
                .contains("Content-Length: 3"))
    }

    @Test func `without a length the body ends with the connection (RFC 9112 6.3)`() {
        let parsed = ParsedResponse("HTTP/1.1 200 OK\r\n\r\n")
        #expect(parsed.body == .untilClose)
        #expect(!parsed.keepAlive)
    }

    @Test func `HTTP/1.0 keeps its connection only when it asks for it`() {
        let length = "Content-Length: 0\r\n"
        #expect(!ParsedResponse("HTTP/1.0 200 OK\r\n\(length)\r\n").keepAlive)
        #expect(
            ParsedResponse("HTTP/1.0 200 OK\r\n\(length)Connection: keep-alive\r\n\r\n").keepAlive)
    }

    @Test func `hop-by-hop fields, the pin directive and our cookie from a process are dropped`() {
        let parsed = ParsedResponse(
            "HTTP/1.1 200 OK\r\nConnection: x, keep-alive\r\nX: 1\r\nKeep-Alive: 5\r\n"
                + "Mooring-Pin: pin\r\nSet-Cookie: mooring=evil\r\nSet-Cookie: mooringx=1\r\n"
                + "Alt-Svc: h3\r\nContent-Length: 0\r\n\r\n")
        #expect(
            parsed.forwarded
                == "HTTP/1.1 200 OK\r\nSet-Cookie: mooringx=1\r\n\(Self.date)Via: 1.1 mooring\r\n"
                + "Content-Length: 0\r\n\r\n")
    }

    @Test func `with our cookie shared caches are excluded`() {
        let cookie = "Set-Cookie: mooring=v\r\n"
        let plain = ParsedResponse(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", setCookie: cookie)
        #expect(plain.forwarded.contains("Cache-Control: private\r\n"))
        let shared = ParsedResponse(
            "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60, s-maxage=9\r\n"
                + "Content-Length: 0\r\n\r\n", setCookie: cookie)
        #expect(shared.forwarded.contains("Cache-Control: private, max-age=60\r\n"))
        #expect(!shared.forwarded.contains("public"))
        let closed = ParsedResponse(
            "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n",
            setCookie: cookie)
        #expect(closed.forwarded.contains("Cache-Control: no-store\r\n"))
        #expect(!closed.forwarded.contains("private"))
    }

    @Test func `pin directives are understood and nonsense is known as such`() {
        func pin(_ value: String) -> PinDirective {
            ParsedResponse(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nMooring-Pin: \(value)\r\n\r\n"
            ).pin
        }
        #expect(pin("pin") == .pin)
        #expect(pin("Release") == .release)
        #expect(pin("move") == .move)
        #expect(pin("hold=30m") == .hold(1800))
        #expect(pin("hold=2h") == .hold(7200))
        for value in ["hold=", "hold=99999999h", "hold=-1s", "hold=30d", "hodl"] {
            let count = UInt32(value.utf8.count)
            guard case .unknown(let range) = pin(value) else {
                Issue.record("\(value) is taken for \(pin(value))")
                continue
            }
            #expect(range.count == count)
        }
    }

    @Test(arguments: [
        "CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control", "x-accel-expires",
        "Netlify-CDN-Cache-Control", "Vercel-CDN-Cache-Control", "X-LiteSpeed-Cache-Control",
        "Edge-Control", "X-Cache-Control",
    ])
    func `beside our cookie nothing outranks Cache-Control (RFC 9213)`(_ name: String) {
        for control in ["public, max-age=60", "private", "no-store"] {
            let text =
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\(name): max-age=600\r\n"
                + "Cache-Control: \(control)\r\n\r\n"
            let set = ParsedResponse(text, setCookie: "Set-Cookie: mooring=x\r\n").forwarded
            #expect(!set.contains("\(name):"))
            #expect(
                set.contains("\r\nCache-Control: \(control == "no-store" ? control : "private")"))
            #expect(ParsedResponse(text).forwarded.contains("\(name): max-age=600\r\n"))
        }
    }

    @Test func `no-store beside must-understand keeps no cache off (RFC 9111 5.2.2.3)`() {
        let text =
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: must-understand, no-store\r\n\r\n"
        let set = ParsedResponse(text, setCookie: "Set-Cookie: mooring=x\r\n").forwarded
        #expect(set.contains("\r\nCache-Control: private, must-understand, no-store\r\n"))
    }

    static let bare = [
        "HTTP/1.1 200 OK\nX: y\nSet-Cookie: a=b \nEmpty:\nContent-Length: 3\n\n",
        "HTTP/1.1 200 OK\r\nX: y\nSet-Cookie: a=b\t\r\nEmpty:\nContent-Length: 3\r\n\n",
        "HTTP/1.2 200 OK\nX: y\r\nSet-Cookie: a=b\nEmpty:\r\nContent-Length: 3\n\r\n",
    ]

    @Test(arguments: bare)
    func `lines that end without CR are read, and written with it (RFC 9112 2.2)`(_ text: String) {
        let parsed = ParsedResponse(text)
        #expect(parsed.status == 200)
        #expect(parsed.body == .length(3))
        #expect(
            parsed.forwarded
                == "HTTP/1.1 200 OK\r\nX: y\r\nSet-Cookie: a=b\r\nEmpty:\r\n"
                + "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\nVia: 1.1 mooring\r\nContent-Length: 3\r\n\r\n"
        )
    }

    @Test func `a head without CR ends where it ends, and not before it is there`() {
        for text in Self.bare + ["HTTP/1.1 200\n\n", "HTTP/1.1 100\nX: y\n\n"] {
            let bytes = Array(text.utf8)
            var head = ResponseHead()
            var scan = 0
            for count in 0..<bytes.count {
                let result = head.parse(
                    bytes.span.extracting(0..<count), resumeFrom: &scan, limit: 8192,
                    requestMethod: .get)
                #expect(result == .incomplete)
            }
            let result = head.parse(
                (bytes + bytes).span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
            #expect(result == .complete)
            #expect(head.headLength == bytes.count)
        }
    }

    @Test func `an interim response without CR is written with it`() {
        let bytes = Array("HTTP/1.1 103 Early Hints\nLink: </a>\nSet-Cookie: a=b\n\n".utf8)
        var head = ResponseHead()
        var scan = 0
        _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
        let forwarded = written { sink in
            head.writeInformational(from: bytes.span, into: &sink)
        }
        #expect(forwarded == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    }

    @Test func `twins of framing fields go, in responses too`() {
        let text =
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer_Encoding: chunked\r\nX_Y: 1\r\n\r\n"
        let forwarded = ParsedResponse(text).forwarded
        #expect(!forwarded.contains("Transfer_") && forwarded.contains("X_Y: 1\r\n"))
    }

    @Test func `a client of HTTP/1.0 learns that its connection is kept`() {
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
        var head = ResponseHead()
        var scan = 0
        _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
        for closes in [true, false] {
            let forwarded = written { sink in
                head.write(
                    from: bytes.span, framing: .length, closes: closes, keepsAlive: true,
                    date: Span(), setCookie: Span(), into: &sink)
            }
            #expect(forwarded.hasSuffix("Connection: \(closes ? "close" : "keep-alive")\r\n\r\n"))
        }
    }

    @Test func `nothing of the response before shows in the next`() {
        var head = ResponseHead()
        var scan = 0
        let rich = Array(
            ("HTTP/1.1 200 OK\r\nDate: d\r\nCache-Control: no-store\r\nMooring-Pin: pin\r\n"
                + "Content-Length: 3\r\n\r\n").utf8)
        let plain = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for bytes in [rich, plain] {
            scan = 0
            #expect(
                head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
                    == .complete)
        }
        #expect(head.pinDirective == .none)
        #expect(head.body == .chunked)
        let date = Array("now".utf8)
        let cookie = Array("Set-Cookie: a=b\r\n".utf8)
        let forwarded = written { sink in
            head.write(
                from: plain.span, framing: .chunked, closes: false, date: date.span,
                setCookie: cookie.span, into: &sink)
        }
        #expect(
            forwarded
                == "HTTP/1.1 200 OK\r\nCache-Control: private\r\nDate: now\r\nSet-Cookie: a=b\r\n"
                + "Via: 1.1 mooring\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    @Test func `a response that closes states it`() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        #expect(ParsedResponse(text, closes: true).forwarded.contains("Connection: close\r\n"))
    }
}
