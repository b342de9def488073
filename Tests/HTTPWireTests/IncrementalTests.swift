internal import Testing

@testable internal import HTTPWire

/// However bytes are cut on their way, what is read of them is the same.
@Suite struct IncrementalTests {
    static let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: yyyyyyyyyyyy\r\n\r\nabc",
        "GET http://b:81/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n\r\n",
        "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
        "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ]

    @Test(arguments: requests)
    func `a request head that comes byte by byte is read as the whole`(_ text: String) {
        let bytes = Array(text.utf8)
        let whole = Parsed(bytes)
        var head = RequestHead()
        var scan = 0
        var result = HeadParse.incomplete
        for count in 1...bytes.count where result == .incomplete {
            result = head.parse(
                bytes.span.extracting(0..<count), resumeFrom: &scan, limit: 32 * 1024)
        }
        #expect(refusal(result) == refusal(whole.result))
        guard result == .complete else { return }
        #expect(head.headLength == whole.headLength)
        #expect(head.body == whole.body)
        #expect(Parsed(Array(bytes.prefix(head.headLength))).forwarded == whole.forwarded)
    }

    @Test(arguments: requests)
    func `a request head cut in two at any place is read as the whole`(_ text: String) {
        let bytes = Array(text.utf8)
        let whole = Parsed(bytes)
        for cut in 1..<bytes.count {
            var head = RequestHead()
            var scan = 0
            var result = head.parse(
                bytes.span.extracting(0..<cut), resumeFrom: &scan, limit: 32 * 1024)
            if result == .incomplete {
                result = head.parse(bytes.span, resumeFrom: &scan, limit: 32 * 1024)
            }
            #expect(refusal(result) == refusal(whole.result), "cut at \(cut)")
            if result == .complete { #expect(head.headLength == whole.headLength) }
        }
    }

    @Test func `a head is searched once, however slowly it comes`() {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: y".utf8)
        var head = RequestHead()
        var scan = 0
        for count in 1...bytes.count {
            #expect(
                head.parse(bytes.span.extracting(0..<count), resumeFrom: &scan, limit: 8192)
                    == .incomplete)
            #expect(scan == count)
        }
    }

    static let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 103\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\n\r\n", "HTTP/1.1 200 OK\r\nX: y\n\r\n\r\n", "HTTP/2 200\r\n\r\n",
    ]

    @Test(arguments: responses)
    func `a response head cut in two at any place is read as the whole`(_ text: String) {
        let bytes = Array(text.utf8)
        let whole = ParsedResponse(bytes)
        for cut in 1..<bytes.count {
            var head = ResponseHead()
            var scan = 0
            var result = head.parse(
                bytes.span.extracting(0..<cut), resumeFrom: &scan, limit: 8192,
                requestMethod: .get)
            if result == .incomplete {
                result = head.parse(
                    bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
            }
            #expect((result == .complete) == (whole.result == .complete), "cut at \(cut)")
            #expect(result != .incomplete)
            if result == .complete {
                #expect(head.status == whole.status)
                #expect(head.body == whole.body)
            }
        }
    }

    @Test(arguments: 1...64)
    func `a chunked body in pieces is read as the whole`(_ step: Int) {
        let body = "5;a=b\r\nhello\r\n00006 \t;c\r\n world\r\n0\r\nX-T: y\r\nZ:\r\n\r\nrest"
        let expected = DecodedBody(data: "hello world", rest: "rest", ended: true)
        #expect(decoded(body, step: step) == expected)
        #expect(decoded(body, step: step, limit: 3) == expected)
    }

    private func refusal(_ result: HeadParse) -> UInt16? {
        if case .rejected(let problem) = result { return problem.status }
        return result == .complete ? 0 : nil
    }
}
