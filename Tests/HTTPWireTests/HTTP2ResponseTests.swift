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

    @Test func `a body that ends with the connection ends the stream`() {
        let answer = answered("HTTP/1.1 200 OK\r\n\r\nhello")
        #expect(answer.text == "hello")
        #expect(answer.ended)
        #expect(answer.resetCode == nil)
    }

    @Test func `fields of one connection do not pass (RFC 9113 section 8.2.2)`() {
        let answer = answered(
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nUpgrade: x\r\n"
                + "Proxy-Connection: y\r\nContent-Length: 0\r\nSet-Cookie: a=B\r\nX:  c \r\n\r\n")
        #expect(
            answer.heads == [[":status: 200", "content-length: 0", "set-cookie: a=B", "x: c"]])
        #expect(answer.ended)
    }

    @Test(arguments: [204, 304])
    func `a status without body ends the stream with its head`(status: Int) {
        let answer = answered("HTTP/1.1 \(status) x\r\nX: y\r\n\r\n", finishes: false)
        #expect(answer.heads == [[":status: \(status)", "x: y"]])
        #expect(answer.ended)
    }

    @Test func `an answer to HEAD tells a length and has no body`() {
        let answer = answered(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method: "HEAD", finishes: false)
        #expect(answer.heads == [[":status: 200", "content-length: 5"]])
        #expect(answer.ended)
        let chunked = answered(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", method: "HEAD",
            finishes: false)
        #expect(chunked.ended)
    }

    @Test(arguments: [1, Int.max])
    func `interim responses pass before the final one`(step: Int) {
        let answer = answered(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", step: step)
        #expect(answer.statuses == [":status: 100", ":status: 103", ":status: 200"])
        #expect(answer.fields(1) == [":status: 103", "link: <a>"])
        #expect(answer.text == "ok")
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n",
    ])
    func `an incomplete response is never ended cleanly`(response: String) {
        let answer = answered(response)
        #expect(answer.resetCode == 2)
        #expect(!answer.ended)
    }

    @Test(arguments: [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz", "bare\n\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    ])
    func `what is no response to the request resets the stream`(response: String) {
        #expect(answered(response, finishes: false).resetCode == 2)
    }

    @Test func `bytes behind a complete response go nowhere`() {
        let answer = answered(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nno")
        #expect(answer.statuses == [":status: 200"])
        #expect(answer.text == "ok")
    }

    @Test func `a head as large as a process may send passes`() {
        let lines = (0..<130).map { "X-\($0): \(String(repeating: "v", count: 400))\r\n" }
        let answer = answered("HTTP/1.1 200 OK\r\n" + lines.joined() + "Content-Length: 0\r\n\r\n")
        #expect(answer.fields(0).count == 132)
        #expect(answer.ended)
    }

    @Test func `streams are answered in any order`() {
        let pair = HTTP2Pair()
        let ids = (0..<10).map { pair.client.get("/\($0)") }
        pair.run()
        for id in ids.reversed() {
            pair.write(id, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(id % 10)")
            pair.server.forget(id)
        }
        #expect(pair.run())
        for id in ids { #expect(pair.answer(id).text == "\(id % 10)") }
        #expect(pair.server.openStreams == 0)
    }
}
