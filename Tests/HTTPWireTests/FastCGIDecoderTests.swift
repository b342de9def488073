internal import TestSupport
internal import Testing

@testable internal import HTTPWire

@Suite struct FastCGIDecoderTests {
    private static let response =
        FastCGI.output("Status: 200 OK\r\n\r\nhel", padding: 5) + FastCGI.errors("a notice")
        + FastCGI.output("lo") + FastCGI.errors("another", padding: 1) + FastCGI.record(6)
        + FastCGI.record(7, padding: 3) + FastCGI.end(application: 1, padding: 8)

    @Test func `records are taken off what a process says`() {
        let decoded = DecodedRecords(Self.response)
        #expect(decoded.output == Array("Status: 200 OK\r\n\r\nhello".utf8))
        #expect(decoded.errors == [Array("a notice".utf8), Array("another".utf8)])
        #expect(decoded.end == .complete, "the application's own status is its own affair")
        #expect(!decoded.isBad && decoded.rest == 0)
    }

    @Test func `wherever the bytes are cut, they say the same`() {
        let whole = DecodedRecords(Self.response)
        for cut in 0...Self.response.count {
            let pieces = [Array(Self.response[..<cut]), Array(Self.response[cut...])]
            #expect(DecodedRecords(pieces) == whole, "cut at \(cut)")
        }
        #expect(DecodedRecords(Self.response.map { [$0] }) == whole)
    }

    @Test func `a response that is cut off has not ended`() {
        for length in 0..<Self.response.count {
            let decoded = DecodedRecords(Array(Self.response[..<length]))
            #expect(decoded.end == nil && !decoded.isBad, "\(length) bytes")
        }
    }

    static let bad: [[UInt8]] = [
        // Other versions and kinds, of the server's side and of none.
        FastCGI.record(6, [1], version: 0), FastCGI.record(6, [1], version: 2),
        FastCGI.record(0), FastCGI.record(1, [0, 1, 0, 0, 0, 0, 0, 0]), FastCGI.record(2),
        FastCGI.record(4, [1, 1, 65, 66]), FastCGI.record(5, [1]), FastCGI.record(12),
        FastCGI.record(255),
        // Management records, which nobody asked for.
        FastCGI.record(10, [1, 1, 65, 66], id: 0),
        FastCGI.record(11, [9, 0, 0, 0, 0, 0, 0, 0], id: 0),
        // Another request.
        FastCGI.record(6, [1], id: 0), FastCGI.record(6, [1], id: 2),
        FastCGI.record(6, [1], id: 257), FastCGI.record(7, [1], id: 2),
        FastCGI.record(3, [0, 0, 0, 0, 0, 0, 0, 0], id: 2),
        // An end of another length.
        FastCGI.record(3), FastCGI.record(3, [0, 0, 0, 0, 0, 0, 0]),
        FastCGI.record(3, [0, 0, 0, 0, 0, 0, 0, 0, 0]),
        // More of a stream that was closed.
        FastCGI.record(6) + FastCGI.output("x"), FastCGI.record(7) + FastCGI.errors("x"),
        Array("HTTP/1.1 200 OK\r\n\r\n".utf8),
    ]

    @Test(arguments: bad)
    func `what is no record of the response is refused, and nothing of it given out`(
        _ bytes: [UInt8]
    ) {
        let good = FastCGI.output("before")
        let decoded = DecodedRecords(good + bytes + FastCGI.output("after") + FastCGI.end())
        #expect(decoded.isBad && decoded.end == nil)
        #expect(decoded.output == Array("before".utf8))
        #expect(DecodedRecords((good + bytes).map { [$0] }).isBad)
    }

    @Test func `what follows the end belongs to nobody`() {
        let late = FastCGI.output("forged")
        let decoded = DecodedRecords(FastCGI.output("x") + FastCGI.end() + late)
        #expect(decoded.output == Array("x".utf8))
        #expect(decoded.end == .complete && decoded.rest == late.count)
        var decoder = FastCGIDecoder()
        let end = FastCGI.end()
        #expect(decoder.next(end.span) == .end(consumed: end.count))
        #expect(decoder.next(late.span) == .bad)
        #expect(decoder.isBad && decoder.end == .complete, "the response is whole all the same")
    }

    @Test func `an end tells whether there was room for the request`() {
        #expect(DecodedRecords(FastCGI.end(status: 2)).end == .overloaded)
        for status: UInt8 in [1, 3, 4, 255] {
            #expect(DecodedRecords(FastCGI.end(status: status)).end == .refused)
        }
    }

    @Test func `records without content are bounded`() {
        let empty = FastCGI.record(7, padding: 1)
        let many = Array([[UInt8]](repeating: empty, count: 1000).joined())
        #expect(!DecodedRecords(many).isBad)
        #expect(DecodedRecords(many + empty).isBad)
    }

    @Test func `the longest record is taken`() {
        let text = [UInt8](repeating: 0x61, count: 65_535)
        let decoded = DecodedRecords(FastCGI.record(6, text, padding: 255) + FastCGI.end())
        #expect(decoded.output == text && decoded.end == .complete)
    }
}
