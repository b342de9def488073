internal import Testing

@testable internal import HTTPWire

/// HTTP/1.1 responses, as they are written to streams, as the client sees them.
@Suite struct HTTP2ResponseTests {
    /// Answers one GET.
    private func answered(
        _ response: String, method: String = "GET", step: Int = .max, finishes: Bool = true
    ) -> HTTP2Client.Answer {
        let pair = HTTP2Pair()
        let id = pair.client.request(HTTP2Client.head(method, "/"))
        pair.run()
        let bytes = Array(response.utf8)
        var start = 0
        while start < bytes.count {
            let end = start + min(step, bytes.count - start)
            #expect(pair.write(id, Array(bytes[start..<end])) == end - start)
            start = end
        }
        if finishes { pair.server.finish(id) }
        #expect(pair.run())
        return pair.answer(id)
    }

    @Test(arguments: [1, 2, 7, Int.max])
    func `a response of known length arrives whole, however it is written`(step: Int) {
        let answer = answered(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\nConnection: close\r\n\r\nhello",
            step: step, finishes: false)
        #expect(answer.heads == [[":status: 200", "content-length: 5", "x-a: b"]])
        #expect(answer.text == "hello")
        #expect(answer.ended)
        #expect(answer.resetCode == nil)
    }

    @Test(arguments: [1, 3, Int.max])
    func `chunks become data, and trailers fields`(step: Int) {
        let answer = answered(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n", step: step, finishes: false)
        #expect(answer.heads == [[":status: 200"], ["x-sum: 1"]])
        #expect(answer.text == "hello!")
        #expect(answer.ended)
    }
}
