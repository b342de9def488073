internal import Testing

@testable internal import HTTPWire

/// How streams and connections end.
@Suite struct HTTP2LifecycleTests {
    private let whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    @Test func `the preface is known by its first lines`() {
        func begins(_ text: String) -> Bool {
            HTTP2Connection.beginsWithPreface(Array(text.utf8).span)
        }
        #expect(begins("PRI * HTTP/2.0\r\n\r\n"))
        #expect(begins("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore"))
        #expect(!begins("PRI * HTTP/2.0\r\n"))
        #expect(!begins("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    }

    @Test func `a stream that its client resets is reported once and reads as reset`() {
        let pair = HTTP2Pair()
        let id = pair.client.request(HTTP2Client.head("POST", "/"), body: [1], ends: false)
        pair.run()
        pair.client.reset(id)
        pair.run()
        #expect(pair.resets == [id])
        #expect(pair.read(id) == .reset)
        #expect(pair.write(id, whole) == whole.utf8.count)
        #expect(pair.server.nextEvent() == nil)
        pair.server.forget(id)
        #expect(pair.server.openStreams == 0)
    }

    @Test func `an abandoned stream is reset with CANCEL`() {
        let pair = HTTP2Pair()
        let id = pair.client.get("/")
        pair.run()
        pair.server.reset(id)
        pair.server.forget(id)
        #expect(pair.run())
        #expect(pair.answer(id).resetCode == 8)
        #expect(pair.resets.isEmpty)
        #expect(pair.server.openStreams == 0)
    }

    @Test func `a stream that is turned away may be tried again`() {
        let pair = HTTP2Pair()
        let id = pair.client.get("/")
        pair.run()
        pair.server.refuse(id)
        pair.server.forget(id)
        #expect(pair.run())
        #expect(pair.answer(id).resetCode == 7)
    }

    @Test func `after a complete response a client that still uploads is asked to stop`() {
        let pair = HTTP2Pair()
        let id = pair.client.request(HTTP2Client.head("POST", "/"), body: [1], ends: false)
        pair.run()
        pair.write(id, whole)
        pair.server.reset(id)
        #expect(pair.run())
        #expect(pair.answer(id).text == "ok")
        #expect(pair.answer(id).ended)
        #expect(pair.answer(id).resetCode == 0)
        pair.server.forget(id)
        #expect(pair.server.openStreams == 0)
    }

    @Test func `a half-closed virtual connection lets the upload go on`() {
        let pair = HTTP2Pair()
        let id = pair.client.request(
            HTTP2Client.head("POST", "/") + [("content-length", "4")], body: [1, 2], ends: false)
        pair.run()
        pair.write(id, whole)
        pair.server.finish(id)
        pair.run()
        pair.client.send([3, 4], on: id, ends: true)
        #expect(pair.run())
        #expect(pair.ended == [id])
        #expect(pair.answer(id).resetCode == nil)
    }

    @Test func `forgetting twice, or what never was, does nothing`() {
        let pair = HTTP2Pair()
        let id = pair.client.get("/")
        pair.run()
        pair.write(id, whole)
        pair.server.forget(id)
        pair.server.forget(id)
        pair.server.forget(77)
        pair.server.finish(77)
        pair.server.reset(77)
        #expect(pair.read(77) == .reset)
        #expect(pair.run())
        #expect(pair.answer(id).ended)
    }

    @Test func `a drain lets streams finish, takes late ones, and then ends the connection`() {
        let pair = HTTP2Pair()
        let first = pair.client.get("/")
        pair.run()
        pair.server.goAway()
        // Sent before the client could know.
        let late = pair.client.get("/")
        pair.run()
        #expect(pair.opened == [first, late])
        #expect(pair.client.goAways == [0, 0])
        #expect(!pair.server.isFinished)
        for id in [first, late] {
            pair.write(id, whole)
            pair.server.forget(id)
        }
        pair.run()
        #expect(pair.answer(first).text == "ok")
        #expect(pair.answer(late).text == "ok")
        #expect(pair.server.isFinished)
    }

    @Test func `a drain of an idle connection ends after a round trip`() {
        let pair = HTTP2Pair()
        pair.run()
        pair.server.goAway()
        #expect(!pair.server.isFinished)
        #expect(pair.run())
        #expect(pair.server.isFinished)
    }

    @Test func `a second call to drain does not wait for the client`() {
        let raw = HTTP2Raw()
        raw.pair.server.goAway()
        raw.pair.server.goAway()
        raw.pair.server.goAway()
        raw.take()
        #expect(raw.goAways == [0, 0])
        #expect(raw.pair.server.isFinished)
        raw.feed(HTTP2Frames.get(1))
        #expect(raw.pair.opened.isEmpty)
    }

    @Test func `a connection is drained when it has had its share of streams`() {
        var settings = HTTP2Settings()
        settings.maxStreams = 3
        let pair = HTTP2Pair(settings)
        pair.answer = whole
        for _ in 0..<3 {
            pair.client.get("/")
            #expect(pair.client.goAways.isEmpty)
            pair.run()
        }
        #expect(pair.client.goAways.first == 0)
        #expect(pair.server.isFinished)
    }

    @Test func `a client that sends GOAWAY is served to the end`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(1) + HTTP2Frames.frame(7, 0, 0, [UInt8](repeating: 0, count: 8)))
        #expect(!raw.pair.server.isFinished)
        raw.pair.write(1, whole)
        raw.pair.server.forget(1)
        raw.take()
        #expect(raw.sent.contains { $0.type == 0 && $0.payload == Array("ok".utf8) })
        #expect(raw.pair.server.isFinished)
    }

    @Test func `nothing is taken after a problem, and the answer stays the same`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(1))
        _ = raw.repeatedly(2000) { _ in HTTP2Frames.frame(4, 0, 0, []) }
        #expect(raw.pair.resets == [1])
        raw.feed(HTTP2Frames.get(3))
        #expect(raw.pair.opened == [1])
        #expect(raw.pair.progress == .closed(.flood))
        #expect(raw.goAways.count == 1)
        raw.pair.server.forget(1)
        #expect(raw.pair.server.openStreams == 0)
    }

    @Test func `thousands of exchanges leave nothing behind`() {
        let pair = HTTP2Pair()
        pair.answer = whole
        for round in 0..<300 {
            for _ in 0..<10 { pair.client.get("/\(round)") }
            pair.run()
        }
        #expect(pair.client.answers.count == 3000)
        #expect(pair.client.answers.values.allSatisfy { $0.text == "ok" && $0.ended })
        #expect(pair.server.openStreams == 0)
    }
}
