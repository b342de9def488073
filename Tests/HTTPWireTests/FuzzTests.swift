internal import TestSupport
internal import Testing

@testable internal import HTTPWire

/// Seeded damage to good messages: nothing traps, nothing behind the end is read, and what is
/// passed on would pass again.
@Suite struct FuzzTests {
    private static let requests = [
        "POST http://a:1/b?c HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close, te\r\nTE: x\r\n"
            + "Transfer-Encoding: chunked\r\nCookie: a=1; b=2\r\nX_Forwarded_For: 1\r\n\r\n",
        "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nExpect: 100-continue\r\n"
            + "X-A: \t y \r\nConnection: x-a\r\n\r\n",
        "OPTIONS * HTTP/1.0\r\nUpgrade: h2c\r\nVia: 1.1 z\r\nProxy: p\r\nmooring_pin: q\r\n\r\n",
    ]
    private static let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: mooring=x; Path=/\r\nDate: d\r\n"
            + "Cache-Control: public, max-age=60\r\nMooring-Pin: hold=30m\r\n\r\n",
        "HTTP/1.1 103 Hints\r\nConnection: x, keep-alive\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 304 Not Modified\r\nAlt-Svc: h3\r\nMooring-Pin: release\r\nSet-Cookie: s\r\n\r\n",
    ]
    private static let bodies = [
        "5;a=b\r\nhello\r\n00006 \r\n world\r\n0\r\nX-T: y\r\n\r\n",
        "ffffffffffffffff\r\n", "1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
    ]
    /// Bytes that mean something to a parser come more often than others.
    private static let telling = Array("\r\n :;,=\t\0\u{7f}0123456789afAFxX/?#%@[]*_-\"\\".utf8)

    private func damaged(_ text: String, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let byte =
                Bool.random(using: &random)
                ? UInt8.random(in: 0...255, using: &random)
                : Self.telling[Int.random(in: 0..<Self.telling.count, using: &random)]
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = byte
            case 1: bytes.remove(at: place)
            case 2: bytes.removeSubrange(place..<min(place + 8, bytes.count))
            case 3: bytes.insert(contentsOf: bytes[place..<min(place + 24, bytes.count)], at: place)
            default: bytes.insert(byte, at: place)
            }
        }
        return bytes
    }

    /// Each proxy on the way adds its line.
    private static func withoutLastVia(_ head: String) -> String {
        var head = head
        if let last = head.ranges(of: "Via: 1.1 mooring\r\n").last { head.removeSubrange(last) }
        return head
    }

    private func each(
        _ texts: [String], seed: UInt64, _ check: ([UInt8]) -> Void
    ) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<150 {
            for text in texts { check(damaged(text, &random)) }
        }
    }

    @Test(arguments: 0..<48 as Range<UInt64>)
    func `a damaged request is refused, or passed on as one that would be taken as it is`(
        seed: UInt64
    ) {
        each(Self.requests, seed: seed) { bytes in
            let parsed = Parsed(bytes, limit: 512)
            guard parsed.result == .complete else { return }
            #expect(parsed.headLength <= bytes.count)
            // HTTP/1.0 requests without Host become HTTP/1.1 ones with an empty one.
            guard !parsed.host.isEmpty else { return }
            let again = Parsed(parsed.forwarded + "\r\n")
            #expect(again.result == .complete, "\(parsed.forwarded)")
            #expect(again.headLength == parsed.forwarded.utf8.count + 2)
            #expect(again.method == parsed.method)
            #expect(again.host == parsed.host)
            #expect(again.body == parsed.body)
            // Via names HTTP/1.0; the request is forwarded as HTTP/1.1.
            let forwarded = parsed.forwarded.replacing("Via: 1.0 mooring", with: "Via: 1.1 mooring")
            #expect(Self.withoutLastVia(again.forwarded) == forwarded)
        }
    }

    @Test(arguments: 0..<48 as Range<UInt64>)
    func `a damaged response is refused, or passed on as one that would be taken as it is`(
        seed: UInt64
    ) {
        each(Self.responses, seed: seed) { bytes in
            let parsed = ParsedResponse(bytes)
            guard parsed.result == .complete, parsed.body != .chunked else { return }
            let again = ParsedResponse(parsed.forwarded)
            #expect(again.result == .complete, "\(parsed.forwarded)")
            #expect(again.status == parsed.status)
            #expect(again.body == parsed.body)
            #expect(Self.withoutLastVia(again.forwarded) == parsed.forwarded)
        }
    }

    @Test(arguments: 0..<48 as Range<UInt64>)
    func `a damaged body means the same in pieces as in the whole`(seed: UInt64) {
        each(Self.bodies, seed: seed) { bytes in
            let whole = decoded(bytes)
            #expect(decoded(bytes, step: 1) == whole)
            #expect(decoded(bytes, step: 3, limit: 2) == whole)
        }
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func `what lies behind the bytes is never read`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        each(Self.requests + Self.responses, seed: seed) { bytes in
            let count = Int.random(in: 0...bytes.count, using: &random)
            let alone = Array(bytes.prefix(count))
            let bait = alone + Array("\r\nContent-Length: 7\r\n\r\n".utf8)
            var head = RequestHead()
            var scan = 0
            let result = head.parse(
                bait.span.extracting(0..<count), resumeFrom: &scan, limit: 512)
            #expect(result == Parsed(alone, limit: 512).result)
            var response = ResponseHead()
            scan = 0
            let responseResult = response.parse(
                bait.span.extracting(0..<count), resumeFrom: &scan, limit: 8192,
                requestMethod: .get)
            #expect(responseResult == ParsedResponse(alone).result)
        }
    }
}
