internal import Testing

@testable internal import HTTPWire

@Suite struct BodyTests {
    @Test func `chunks are joined and what follows the last is another message's`() throws {
        let body = "5;a=b\r\nhello\r\n6 \r\n world\r\n0\r\nX-T: y\r\n\r\nGET /"
        let result = try #require(decoded(body))
        #expect(result.data == "hello world")
        #expect(result.rest == "GET /")
        #expect(result.ended)
    }

    static let bad = [
        "ZZ\r\n", "-5\r\nhello\r\n", "+5\r\n", "0x5\r\n", "\r\n", ";x\r\n", "5\nhello\r\n",
        "5\r\nhelloX", "5\r\nhello\rX", "5\rX", "5 x\r\nhello\r\n", "5 5\r\nhello\r\n",
        "5\r\nhello\n",
        "10000000000000000\r\n", "5;\u{1}\r\n",
        "0\r\nno colon\r\n\r\n", "0\r\nnocolon\r\n\r\n", "0\r\nX: y\rZY: y\r\n\r\n",

        "0\r\n: x\r\n\r\n", "0\r\nX: a\0\r\n\r\n", "0\r\n\rX",
    ]

    @Test(arguments: bad)
    func `bad chunking is refused (RFC 9112 7.1)`(_ body: String) {
        #expect(decoded(body) == nil)
    }

    @Test func `chunk extensions and trailers are bounded (RFC 9112 7.1.1 and 7.1.2)`() {
        func text(_ count: Int) -> String { String(repeating: "a", count: count) }
        #expect(decoded("0;\(text(255))\r\n\r\n") != nil)
        #expect(decoded("0;\(text(256))\r\n\r\n") == nil)
        // With three line ends and the name.
        #expect(decoded("0\r\nX:\(text(4090))\r\n\r\n") != nil)
        #expect(decoded("0\r\nX:\(text(4091))\r\n\r\n") == nil)
        let lines = String(repeating: "X:\(text(100))\r\n", count: 40)
        #expect(decoded("0\r\n\(lines)\r\n") == nil)
    }

    @Test func `extensions that outweigh the data are refused (RFC 9112 7.1.1)`() {
        let ext = ";" + String(repeating: "a", count: 99)
        func chunks(_ count: Int, size: Int) -> String {
            let data = String(repeating: "x", count: size)
            let chunk = String(size, radix: 16) + ext + "\r\n\(data)\r\n"
            return String(repeating: chunk, count: count) + "0\r\n\r\n"
        }
        // 83 bytes of each are more than the chunk is worth.
        #expect(decoded(chunks(197, size: 1)) != nil)
        #expect(decoded(chunks(198, size: 1)) == nil)
        #expect(decoded(chunks(1000, size: 84)) != nil)
    }

    @Test func `a body by length ends there`() throws {
        let result = try #require(decoded("hellorest", .length(5)))
        #expect(result.data == "hello")
        #expect(result.rest == "rest")
    }

    @Test func `a body cut short has not ended`() throws {
        #expect(try #require(decoded("hel", .length(5))).ended == false)
        #expect(try #require(decoded("5\r\nhel")).ended == false)
        #expect(try #require(decoded("5\r\nhello\r\n")).ended == false)
    }

    @Test func `a body until close ends with the connection only`() throws {
        let result = try #require(decoded("all of it", .untilClose))
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
            #expect(try #require(decoded(framed)).data == data)
        }
    }

    @Test func `no data writes no chunk, which would be the last`() {
        #expect(written { BodyFrame.write(Span(), chunked: true, into: &$0) }.isEmpty)
    }
}
