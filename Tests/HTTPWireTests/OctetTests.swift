internal import Testing

@testable internal import HTTPWire

@Suite struct OctetTests {
    @Test func `tokens are made of the RFC's characters and no others (RFC 9110 5.6.2)`() {
        let allowed = Set(
            "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(Octets.isToken(byte) == allowed.contains(byte), "\(byte)")
        }
    }

    @Test func `controls are found at every place among eight octets, and nothing else is`() {
        for byte in UInt8.min...UInt8.max {
            let isControl = byte < 0x20 || byte == 0x7f
            for place in 0..<8 {
                let others: UInt64 = 0xff80_4120_7e80_ff21
                let shift = UInt64(place * 8)
                let word = others & ~(0xff << shift) | UInt64(byte) << shift
                let marks = Octets.controls(word)
                #expect((marks != 0) == isControl, "\(byte) at \(place)")
                if isControl { #expect(marks.trailingZeroBitCount / 8 == place) }
            }
        }
    }

    @Test(arguments: 0..<24)
    func `a bad octet anywhere in a value is found`(_ place: Int) {
        for bad: UInt8 in [0, 1, 0x0d, 0x1f, 0x7f] {
            var value = [UInt8](repeating: UInt8(ascii: "a"), count: 24)
            value[place] = bad
            let head = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8)
            #expect(Parsed(head + value + Array("\r\n\r\n".utf8)).refusal == 400)
        }
    }

    @Test func `tabs and octets above ASCII may stand in a value (RFC 9110 5.5)`() {
        let value = "a\tb\u{e9}\u{20ac}c\td\t\t\t\t\t\t\t\te"
        let parsed = Parsed("GET / HTTP/1.1\r\nHost: a\r\nX: \t \(value) \t\r\nY: z\r\n\r\n")
        #expect(parsed.forwarded.contains("X: \t \(value) \t\r\nY: z\r\n"))
    }

    @Test func `every name that matters is known in any case, and a neighbour is not`() {
        let names: [(String, FieldName)] = [
            ("Alt-Svc", .altSvc), ("Authorization", .authorization),
            ("Cache-Control", .cacheControl), ("Connection", .connection),
            ("Content-Length", .contentLength), ("Cookie", .cookie), ("Date", .date),
            ("Expect", .expect), ("Forwarded", .forwarded), ("Host", .host),
            ("Keep-Alive", .keepAlive), ("Mooring-Affinity", .mooringAffinity),
            ("Mooring-Pin", .mooringPin), ("Mooring-Session", .mooringSession), ("Proxy", .proxy),
            ("Proxy-Authenticate", .proxyAuthenticate),
            ("Proxy-Authorization", .proxyAuthorization), ("Proxy-Connection", .proxyConnection),
            ("Set-Cookie", .setCookie), ("TE", .te), ("Trailer", .trailer),
            ("Transfer-Encoding", .transferEncoding), ("Upgrade", .upgrade), ("Via", .via),
            ("X-Forwarded-For", .xForwardedFor), ("X-Forwarded-Host", .xForwardedHost),
            ("X-Forwarded-Proto", .xForwardedProto),
            ("Max-Forwards", .maxForwards), ("Sec-WebSocket-Version", .secWebSocketVersion),
            ("X-Real-IP", .xForwardedOther),
        ]
        func name(_ text: String) -> FieldName {
            let bytes = Array(text.utf8)
            return FieldName.of(
                bytes.span, 0..<bytes.count, hasUnderscore: text.utf8.contains(UInt8(ascii: "_")))
        }
        for (text, known) in names {
            #expect(name(text) == known)
            #expect(name(text.uppercased()) == known)
            #expect(name(text.lowercased()) == known)
            #expect(name("q" + text.dropFirst()) == .other)
            let isForwarding = text.hasPrefix("X-Forwarded-")
            #expect(name(text + "s") == (isForwarding ? .xForwardedOther : .other))
        }
        for text in [
            "x_forwarded-FOR", "X_Forwarded_Host", "X-Forwarded_Proto", "Mooring_Pin",
            "mooring_session", "MOORING_AFFINITY", "Content_Length", "Transfer_Encoding",
            "X_Forwarded_Port", "x-forwarded_prefix", "X_Real-IP",
        ] {
            #expect(name(text) == .imitation)
        }
        #expect(name("X_Forwarder_For") == .underscored)
        #expect(name("X-Forwarded-Port") == .xForwardedOther)
        #expect(name("X-Forwarded-") == .other)
    }
}

@Suite struct ByteSinkTests {
    @Test(arguments: [0, 1, 9, 10, 99, 100, 12_345, UInt64.max / 10, UInt64.max])
    func `a number is written in decimal and hexadecimal digits`(_ value: UInt64) {
        #expect(written { $0.append(decimal: value) } == String(value))
        #expect(written { $0.append(hex: value) } == String(value, radix: 16))
        let padded = String(repeating: "0", count: 16) + String(value, radix: 16)
        #expect(written { $0.append(hex: value, digits: 16) } == String(padded.suffix(16)))
    }

    @Test func `a sink takes what fits to the last byte`() {
        var memory = [UInt8](repeating: 0, count: 4)
        unsafe memory.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            sink.append("abc")
            sink.append(UInt8(ascii: "d"))
            #expect(!sink.overflowed)
            sink.append(UInt8(ascii: "e"))
            #expect(sink.overflowed)
            #expect(sink.count == 4)
        }
    }

    @Test func `a sink without memory takes nothing`() {
        var sink = unsafe ByteSink(UnsafeMutableBufferPointer(start: nil, count: 0))
        sink.append("")
        #expect(!sink.overflowed)
        sink.append("a")
        #expect(sink.overflowed)
    }
}
