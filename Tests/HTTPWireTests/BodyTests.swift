internal import Testing

@testable internal import HTTPWire

@Suite struct BodyTests {
    /// The data of a body and what is behind it; nil: it is bad.
    private func decode(
        _ body: String, _ framing: BodyFraming = .chunked, step: Int = .max
    ) -> (data: String, rest: String, ended: Bool)? {
        let bytes = Array(body.utf8)
        var decoder = BodyDecoder(framing)
        var data: [UInt8] = []
        var position = 0
        var available = min(step, bytes.count)
        while !decoder.isEnded {
            if position == available {
                if available == bytes.count { break }
                available = min(available + step, bytes.count)
                continue
            }
            switch decoder.next(bytes.span.extracting(position..<available), limit: 1000) {
            case .data(let consumed, let range):
                data += bytes[position + range.lowerBound..<position + range.upperBound]
                position += consumed
            case .needMore(let consumed), .end(let consumed):
                position += consumed
            case .bad:
                return nil
            }
        }
        let rest = text(bytes, position..<bytes.count)
        return (String(decoding: data, as: UTF8.self), rest, decoder.isEnded)
    }

    @Test func `chunks are joined and what follows the last is another message's`() throws {
        let body = "5;a=b\r\nhello\r\n6 \r\n world\r\n0\r\nX-T: y\r\n\r\nGET /"
        let result = try #require(decode(body))
        #expect(result.data == "hello world")
        #expect(result.rest == "GET /")
        #expect(result.ended)
    }

    @Test(arguments: 1...40)
    func `a chunked body in pieces is read as the whole`(_ step: Int) throws {
        let body = "5;a=b\r\nhello\r\n00006\r\n world\r\n0\r\nX-T: y\r\n\r\nrest"
        let result = try #require(decode(body, step: step))
        #expect(result.data == "hello world")
        #expect(result.rest == "rest")
    }

    static let bad = [
        "ZZ\r\n", "-5\r\nhello\r\n", "+5\r\n", "0x5\r\n", "\r\n", ";x\r\n", "5\nhello\r\n",
        "5\r\nhelloX", "5\r\nhello\n", "10000000000000000\r\n", "5;\u{1}\r\n",
        "5;" + String(repeating: "a", count: 300) + "\r\n", "0\r\nno colon\r\n\r\n",
        "0\r\n: x\r\n\r\n", "0\r\nX: a\0\r\n\r\n", "0\r\n\rX",
        "0\r\nX: " + String(repeating: "a", count: 9000) + "\r\n\r\n",
    ]

    @Test(arguments: bad)
    func `bad chunking is refused (RFC 9112 7.1)`(_ body: String) {
        #expect(decode(body) == nil)
    }

    @Test func `a body by length ends there`() throws {
        let result = try #require(decode("hellorest", .length(5)))
        #expect(result.data == "hello")
        #expect(result.rest == "rest")
    }

    @Test func `a body cut short has not ended`() throws {
        #expect(try #require(decode("hel", .length(5))).ended == false)
        #expect(try #require(decode("5\r\nhel")).ended == false)
        #expect(try #require(decode("5\r\nhello\r\n")).ended == false)
    }

    @Test func `a body until close ends with the connection only`() throws {
        let result = try #require(decode("all of it", .untilClose))
        #expect(result.data == "all of it")
        #expect(!result.ended)
        #expect(BodyDecoder(.untilClose).endsWithConnection)
    }

    @Test func `what is framed as chunks decodes to itself`() throws {
        for size in [1, 15, 16, 255, 4096] {
            let data = String(repeating: "x", count: size)
            let framed = written { sink in
                BodyFrame.write(Array(data.utf8).span, chunked: true, into: &sink)
                sink.append(BodyFrame.lastChunk)
            }
            #expect(framed.utf8.count <= size + BodyFrame.overhead)
            #expect(try #require(decode(framed)).data == data)
        }
    }

    @Test func `no data writes no chunk, which would be the last`() {
        #expect(written { BodyFrame.write(Span(), chunked: true, into: &$0) }.isEmpty)
    }
}
