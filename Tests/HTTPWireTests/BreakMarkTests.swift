internal import Testing

@testable internal import HTTPWire

/// The mark of a server that cannot cut off a response.
@Suite struct BreakMarkTests {
    private static let mark: UInt64 = 0x6162_6364_6566_6768

    private func mark(of fields: String) -> UInt64? {
        let bytes = Array("HTTP/1.1 200 OK\r\n\(fields)\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        var head = ResponseHead()
        var scan = 0
        guard
            head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
                == .complete
        else { return nil }
        let text = written { sink in
            head.write(
                from: bytes.span, framing: .chunked, closes: false, date: Span(), setCookie: Span(),
                into: &sink)
        }
        #expect(text.lowercased().contains("mooring") == text.contains("Via: 1.1 mooring"))
        #expect(!text.lowercased().contains("break"))
        return head.breakMark
    }

    @Test func `a mark is read, and goes no further`() {
        #expect(mark(of: "Mooring-Break: 6162636465666768") == Self.mark)
        #expect(mark(of: "mooring-break: 616263646566676A") == 0x6162_6364_6566_676a)
        #expect(mark(of: "X: y") == 0)
    }

    @Test(arguments: [
        "", "61626364656667", "61626364656667680", "616263646566676g", "-162636465666768",
    ])
    func `what is no mark is left out`(_ value: String) {
        #expect(mark(of: "Mooring-Break: \(value)") == 0)
    }

    @Test(arguments: [1, 2, 3, 5, 1000])
    func `a chunk that is the mark breaks the body off, however it comes`(_ step: Int) throws {
        let body = "8\r\nabcdefgi\r\n9\r\nabcdefghi\r\n"
        let whole = Array((body + "0\r\n\r\n").utf8)
        let broken = Array((body + "8\r\nabcdefgh\r\n0\r\n\r\n").utf8)
        for limit in [1, 3, 1000] {
            let result = decoded(whole, step: step, limit: limit, breakMark: Self.mark)
            #expect(try #require(result).data == "abcdefgiabcdefghi")
            #expect(decoded(broken, step: step, limit: limit, breakMark: Self.mark) == nil)
            #expect(decoded(broken, step: step, limit: limit)?.ended == true)
        }
    }

    @Test func `nothing of the mark is passed on before it is known to be data`() throws {
        let result = try #require(decoded(Array("8\r\nabcdefg".utf8), breakMark: Self.mark))
        #expect(result.data == "")
        #expect(!result.ended)
    }

    @Test func `a decoder that ignores the mark continues to the end of the body`() {
        var decoder = BodyDecoder(.chunked, breakMark: Self.mark)
        let start = Array("8\r\nabc".utf8)
        #expect(decoder.next(start.span, limit: 100) == .needMore(consumed: 3))
        decoder = decoder.ignoringMark
        let rest = Array("abcdefgh\r\n0\r\n\r\n".utf8)
        #expect(decoder.next(rest.span, limit: 100) == .data(consumed: 8, 0..<8))
        #expect(decoder.next(rest.span.extracting(8...), limit: 100) == .end(consumed: 7))
    }
}
