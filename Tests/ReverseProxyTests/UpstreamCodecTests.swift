internal import Backends
internal import HTTPWire
internal import Testing

@testable internal import ReverseProxy

@Suite struct UpstreamCodecTests {
    private static let request = Array(
        "GET /a HTTP/1.1\r\nHost: example.org\r\nCookie: own=1; theirs=2\r\n\r\n".utf8)

    private static func additions() -> HeadAdditions {
        HeadAdditions(peer: PeerText(IPAddress(v4: 0xc000_0207), isSecure: true))
    }

    private static func written(_ additions: HeadAdditions) -> String {
        var head = RequestHead()
        var scan = 0
        let parsed = head.parse(request.span, resumeFrom: &scan, limit: .max)
        #expect(parsed == .complete)
        var bytes = [UInt8](repeating: 0, count: 2048)
        let count = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            HTTP1Codec.writeHead(
                &head, from: request.span, resolved: Span(), strippingPrefix: 0, mount: Span(),
                hiding: OwnCookies(names: ["own"]), keeping: Span(), host: Span(), additions,
                into: &sink)
            return sink.count
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test func `a process learns of the client, and not of our cookies`() {
        let head = Self.written(Self.additions())
        #expect(head.hasPrefix("GET /a HTTP/1.1\r\n"))
        #expect(head.contains("\r\nX-Forwarded-For: 192.0.2.7\r\n"))
        #expect(head.contains("theirs=2") && !head.contains("own=1"))
        #expect(!head.contains("Mooring-"))
        #expect(head.hasSuffix("\r\n\r\n"))
    }

    @Test func `a stored piece of a chunked body follows its head as one chunk`() {
        var additions = Self.additions()
        additions.storedBytes = 26
        #expect(Self.written(additions).hasSuffix("\r\n\r\n1a\r\n"))
    }

    @Test func `a generated id is sent once`() {
        var additions = Self.additions()
        let id = GeneratedID(high: 1, low: 2)
        additions.requestID = id
        additions.trace = (id, 3)
        let head = Self.written(additions)
        #expect(head.contains("\r\nX-Request-Id: 00000000000000010000000000000002\r\n"))
        #expect(
            head.contains(
                "\r\ntraceparent: 00-00000000000000010000000000000002-0000000000000003-00\r\n"))
    }

    @Test func `pieces of a body of unknown length are chunks`() {
        var bytes = [UInt8](repeating: 0, count: 64)
        let codec = UpstreamCodec.http1
        let data = Array("hello".utf8)
        let count = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            codec.writeBody(data.span, isChunked: true, into: &sink)
            #expect(sink.count <= data.count + codec.bodyOverhead)
            codec.writeBodyEnd(trailers: Span(), into: &sink)
            return sink.count
        }
        var decoder = BodyDecoder(.chunked)
        var decoded: [UInt8] = []
        var rest = bytes[..<count]
        while !decoder.isEnded {
            let input = Array(rest)
            switch decoder.next(input.span, limit: 64) {
            case .data(let consumed, let range):
                decoded += input[range]
                rest = rest.dropFirst(consumed)
            case .end(let consumed), .needMore(let consumed): rest = rest.dropFirst(consumed)
            case .bad: Issue.record("what was written can be read"); return
            }
        }
        #expect(decoded == data)
        #expect(rest.isEmpty)
    }
}
