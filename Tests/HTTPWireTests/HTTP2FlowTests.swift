internal import Testing

@testable internal import HTTPWire

/// Flow control: who does not read stops whom, and what is held meanwhile.
@Suite struct HTTP2FlowTests {
    private let post = HTTP2Client.head("POST", "/")

    @Test func `a client sends no more than its window without a reader`() {
        let pair = HTTP2Pair()
        pair.reads = false
        let id = pair.client.request(post, body: [UInt8](repeating: 97, count: 1_000_000))
        #expect(pair.run())
        #expect(pair.server.streams[id]?.input.count == 128 * 1024)
        pair.reads = true
        pair.read(id)
        #expect(pair.run())
        #expect(pair.ended == [id])
        let body = HTTP2RequestTests.split(pair.request(id)).body
        #expect(decoded(body, limit: .max)?.data.utf8.count == 1_000_000)
    }

    @Test func `a stalled stream does not hold up another`() {
        let pair = HTTP2Pair()
        pair.reads = false
        let stalled = pair.client.request(post, body: [UInt8](repeating: 97, count: 500_000))
        pair.run()
        pair.reads = true
        let other = pair.client.request(
            post + [("content-length", "2000000")], body: [UInt8](repeating: 98, count: 2_000_000))
        #expect(pair.run())
        #expect(pair.ended == [other])
        #expect(HTTP2RequestTests.split(pair.request(other)).body.utf8.count == 2_000_000)
        #expect(pair.request(stalled).isEmpty)
    }

    @Test func `data of streams that were abandoned is credited to the connection`() {
        let pair = HTTP2Pair()
        pair.reads = false
        for _ in 0..<50 {
            let id = pair.client.request(
                post, body: [UInt8](repeating: 97, count: 120_000), ends: false)
            pair.run()
            if id % 4 == 1 { pair.client.reset(id) } else { pair.server.reset(id) }
            pair.run()
            pair.server.forget(id)
        }
        #expect(pair.progress == .ok)
        pair.reads = true
        let last = pair.client.request(post, body: [UInt8](repeating: 97, count: 900_000))
        #expect(pair.run())
        #expect(pair.ended == [last])
    }

    @Test func `a writer is stopped while its client does not read, and resumes with room`() {
        let pair = HTTP2Pair()
        pair.client.isStalled = true
        let id = pair.client.get("/")
        pair.run()
        let part = [UInt8](repeating: 97, count: 20_000)
        pair.write(id, "HTTP/1.1 200 OK\r\n\r\n")
        var taken = 0
        for _ in 0..<20 {
            taken += pair.write(id, part)
            pair.run()
        }
        // The client's window, and what may wait here.
        #expect(taken == 65_535 + 64 * 1024)
        #expect(pair.write(id, part) == 0)
        #expect(pair.writable.isEmpty || pair.writable == [id])
        pair.writable = []
        pair.client.consume(id, 65_535)
        pair.run()
        #expect(pair.writable == [id])
        #expect(pair.write(id, part) == part.count)
    }

    @Test func `a client that never reads one stream gets the others`() {
        let pair = HTTP2Pair(window: 1000)
        pair.client.isStalled = true
        let stalled = pair.client.get("/")
        let other = pair.client.get("/")
        pair.run()
        pair.write(stalled, "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "a", count: 60_000))
        pair.write(other, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        pair.run()
        #expect(pair.answer(other).text == "ok")
        #expect(pair.answer(other).ended)
        #expect(pair.answer(stalled).body.count == 1000)
    }

    @Test func `a closed stream whose client takes nothing is reset at the second look`() {
        let pair = HTTP2Pair(window: 10)
        pair.client.isStalled = true
        let id = pair.client.get("/")
        pair.run()
        pair.write(
            id, "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + String(repeating: "a", count: 30))
        pair.server.forget(id)
        pair.run()
        pair.server.resetStalled()
        pair.run()
        #expect(pair.server.openStreams == 1)
        pair.client.consume(id, 10)
        pair.run()
        // It has moved.
        pair.server.resetStalled()
        pair.run()
        #expect(pair.answer(id).resetCode == nil)
        pair.server.resetStalled()
        pair.run()
        #expect(pair.answer(id).resetCode == 8)
        #expect(pair.server.openStreams == 0)
    }

    @Test func `a response is still sent after its virtual connection is closed`() {
        let pair = HTTP2Pair(window: 10)
        let id = pair.client.get("/")
        pair.run()
        pair.write(
            id,
            "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + String(repeating: "a", count: 3000))
        pair.server.forget(id)
        #expect(pair.run())
        #expect(pair.answer(id).body.count == 3000)
        #expect(pair.answer(id).ended)
        #expect(pair.server.openStreams == 0)
    }
}
