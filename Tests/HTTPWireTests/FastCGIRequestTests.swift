internal import Testing

@testable internal import HTTPWire

@Suite struct FastCGIRequestTests {
    private static func bytes(_ write: (inout ByteSink) -> Void) -> [UInt8] {
        var memory = [UInt8](repeating: 0, count: 1 << 18)
        let count = unsafe memory.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            write(&sink)
            return sink.overflowed ? 0 : sink.count
        }
        return Array(memory[..<count])
    }

    /// Names and values, as a process reads them.
    private static func pairs(_ bytes: [UInt8]) -> [String: String] {
        var pairs: [String: String] = [:]
        var rest = bytes[...]
        func length() -> Int {
            let first = rest.removeFirst()
            if first < 128 { return Int(first) }
            var length = Int(first & 0x7f)
            for _ in 0..<3 { length = length << 8 | Int(rest.removeFirst()) }
            return length
        }
        while !rest.isEmpty {
            let (name, value) = (length(), length())
            let key = String(decoding: rest.prefix(name), as: UTF8.self)
            #expect(pairs[key] == nil, "\(key) is told twice")
            pairs[key] = String(decoding: rest.dropFirst(name).prefix(value), as: UTF8.self)
            rest = rest.dropFirst(name + value)
        }
        return pairs
    }

    private static func fields(_ head: String) -> [String: String] {
        let head = Array(head.utf8)
        return pairs(bytes { FastCGIFields(head.span).write(into: &$0) })
    }

    @Test func `a request begins, tells its parameters and ends them`() {
        let written = Self.bytes { sink in
            let parameters: [UInt8] = [1, 1, 65, 66]
            FastCGIRecords.writeHead(
                parameters: parameters.span, keepsConnection: true, into: &sink)
        }
        #expect(
            written == [1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
                + [1, 4, 0, 1, 0, 4, 0, 0, 1, 1, 65, 66] + [1, 4, 0, 1, 0, 0, 0, 0])
        #expect(written.count == FastCGIRecords.headLength(parameters: 4))
    }

    @Test func `a connection that is not kept is closed by the process`() {
        let written = Self.bytes {
            FastCGIRecords.writeHead(parameters: Span(), keepsConnection: false, into: &$0)
        }
        #expect(written[10] == 0 && written.count == FastCGIRecords.headLength(parameters: 0))
    }

    @Test(arguments: [65_535, 65_536, 131_070, 131_071])
    func `long parameters take several records`(_ count: Int) {
        let parameters = [UInt8](repeating: 7, count: count)
        let written = Self.bytes {
            FastCGIRecords.writeHead(
                parameters: parameters.span, keepsConnection: true, into: &$0)
        }
        #expect(written.count == FastCGIRecords.headLength(parameters: count))
        var told: [UInt8] = []
        var rest = written.dropFirst(16)
        while !rest.isEmpty {
            let header = Array(rest.prefix(8))
            #expect(header[..<4] == [1, 4, 0, 1])
            let length = Int(header[4]) << 8 | Int(header[5])
            told += rest.dropFirst(8).prefix(length)
            rest = rest.dropFirst(8 + length)
            #expect((length == 0) == rest.isEmpty)
        }
        #expect(told == parameters)
    }

    @Test func `a body is one record for each piece, and an empty one ends it`() {
        let data = Array("hello".utf8)
        let written = Self.bytes { sink in
            FastCGIRecords.writeInput(data.span, into: &sink)
            FastCGIRecords.writeInput(Span(), into: &sink)
            FastCGIRecords.writeInputHeader(length: 0, into: &sink)
        }
        #expect(written == [1, 5, 0, 1, 0, 5, 0, 0] + data + [1, 5, 0, 1, 0, 0, 0, 0])
    }

    @Test func `lengths above 127 take four bytes`() {
        for count in [0, 127, 128, 70_000] {
            let value = [UInt8](repeating: 0x61, count: count)
            let written = Self.bytes { FastCGIParameters.write("NAME", value.span, into: &$0) }
            #expect(written.count == 4 + 1 + (count > 127 ? 4 : 1) + count)
            #expect(Self.pairs(written) == ["NAME": String(repeating: "a", count: count)])
        }
        #expect(
            Self.pairs(Self.bytes { FastCGIParameters.write("N", decimal: 1_234_567, into: &$0) })
                == ["N": "1234567"])
    }

    @Test func `fields become parameters by the names of RFC 3875 4_1_18`() {
        #expect(
            Self.fields(
                "POST /a HTTP/1.1\r\nHost: a:1\r\nX-One: 1\r\nx-tWo9: \t two \r\nContent-Type: t/p\r\n\r\n"
            ) == [
                "HTTP_HOST": "a:1", "HTTP_X_ONE": "1", "HTTP_X_TWO9": "two",
                "CONTENT_TYPE": "t/p",
            ])
    }

    @Test func `no field can stand for another parameter`() {
        let told = Self.fields(
            "GET / HTTP/1.1\r\nHost: a\r\nX_Real: 1\r\nX.Real: 1\r\nScript-Filename: /etc/passwd\r\n"
                + "Proxy: http://evil\r\nContent-Length: 9\r\nRemote-Addr: 1\r\nX-~: 1\r\n\r\n")
        #expect(
            told == [
                "HTTP_HOST": "a", "HTTP_SCRIPT_FILENAME": "/etc/passwd", "HTTP_REMOTE_ADDR": "1",
            ])
    }

    @Test func `what is about the connection is not told`() {
        let told = Self.fields(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\nUpgrade: x\r\n"
                + "Transfer-Encoding: chunked\r\nTrailer: x\r\nExpect: 100-continue\r\n\r\n")
        #expect(told == ["HTTP_HOST": "a"])
    }

    @Test func `the values of one name are joined`() {
        let told = Self.fields(
            "GET / HTTP/1.1\r\nX-A: 1\r\nCookie: a=1\r\nX-B: b\r\nx-a: 2\r\nCookie: b=2\r\nX-A:\r\n\r\n"
        )
        #expect(told == ["HTTP_X_A": "1, 2, ", "HTTP_COOKIE": "a=1; b=2", "HTTP_X_B": "b"])
    }

    @Test func `a head without fields tells nothing`() {
        #expect(Self.fields("GET / HTTP/1.1\r\n\r\n") == [:])
        #expect(Self.fields("GET / HTTP/1.1") == [:])
        #expect(Self.fields("") == [:])
    }
}
