internal import Testing

@testable internal import HTTPWire

/// WebSocket over HTTP/2 (RFC 8441).
@Suite struct HTTP2TunnelTests {
    private let accepted =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: a=b\r\n\r\n"

    private static func connect(_ upgrade: String = "websocket") -> [(String, String)] {
        [
            (":method", "CONNECT"), (":protocol", upgrade), (":scheme", "https"),
            (":path", "/chat"), (":authority", "a.example"), ("sec-websocket-protocol", "p"),
            ("sec-websocket-key", "client"),
        ]
    }

    private func opened(_ body: String = "", ends: Bool = false) -> (HTTP2Pair, Int32) {
        let pair = HTTP2Pair()
        pair.run()
        let id = pair.client.request(Self.connect(), body: Array(body.utf8), ends: ends)
        pair.run()
        return (pair, id)
    }

    private let head =
        "GET /chat HTTP/1.1\r\nhost: a.example\r\nsec-websocket-protocol: p\r\n"
        + "upgrade: websocket\r\nconnection: upgrade\r\n"
        + "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"

    @Test func `extended CONNECT for websocket reads as an upgrade`() {
        let (pair, id) = opened()
        #expect(pair.request(id) == head)
        let bytes = pair.requests[id] ?? []
        var parsed = RequestHead()
        var scan = 0
        let result = parsed.parse(bytes.span, resumeFrom: &scan, limit: 4096)
        #expect(result == .complete)
        let isWebSocket = parsed.isWebSocket
        #expect(isWebSocket)
    }

    @Test func `an accepted upgrade is 200 without the handshake's fields`() {
        let (pair, id) = opened()
        pair.write(id, accepted)
        #expect(pair.run())
        #expect(pair.answer(id).heads == [[":status: 200", "set-cookie: a=b"]])
        #expect(!pair.answer(id).ended)
    }

    @Test func `bytes pass both ways, and each side ends on its own`() {
        let (pair, id) = opened()
        pair.write(id, accepted + "from server")
        pair.client.send(Array("from client".utf8), on: id)
        #expect(pair.run())
        #expect(pair.answer(id).text == "from server")
        #expect(pair.request(id) == head + "from client")
        pair.client.send([], on: id, ends: true)
        pair.run()
        #expect(pair.ended == [id])
        pair.write(id, "!")
        pair.server.finish(id)
        #expect(pair.run())
        #expect(pair.answer(id).text == "from server!")
        #expect(pair.answer(id).ended)
        #expect(pair.answer(id).resetCode == nil)
    }

    @Test func `the server's side may end first`() {
        let (pair, id) = opened()
        pair.write(id, accepted)
        pair.server.finish(id)
        pair.run()
        #expect(pair.answer(id).ended)
        pair.client.send(Array("late".utf8), on: id, ends: true)
        #expect(pair.run())
        #expect(pair.request(id) == head + "late")
        #expect(pair.ended == [id])
        pair.server.forget(id)
        #expect(pair.server.openStreams == 0)
    }

    @Test func `bytes sent ahead wait until the upgrade is accepted`() {
        let (pair, id) = opened("early", ends: true)
        #expect(pair.request(id) == head)
        #expect(pair.ended.isEmpty)
        pair.write(id, accepted)
        pair.run()
        #expect(pair.request(id) == head + "early")
        #expect(pair.ended == [id])
    }

    @Test func `bytes sent ahead of a refused upgrade are never read as a request`() {
        let (pair, id) = opened("GET /admin HTTP/1.1\r\nHost: a.example\r\n\r\n")
        pair.write(id, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        pair.client.send(Array("GET /admin HTTP/1.1\r\n".utf8), on: id)
        #expect(pair.run())
        #expect(pair.read(id) == .wouldBlock)
        #expect(pair.request(id) == head)
        #expect(pair.answer(id).heads == [[":status: 403", "content-length: 2"]])
        #expect(pair.answer(id).text == "no")
        pair.server.forget(id)
        #expect(pair.run())
        #expect(pair.answer(id).resetCode == 0)
        #expect(pair.server.openStreams == 0)
    }

    @Test func `other protocols are answered with 501 and not shown`() {
        let pair = HTTP2Pair()
        pair.run()
        let id = pair.client.request(Self.connect("webtransport"), body: [], ends: false)
        #expect(pair.run())
        #expect(pair.answer(id).heads == [[":status: 501"]])
        #expect(pair.answer(id).resetCode == 0)
        #expect(pair.opened.isEmpty)
        #expect(pair.server.openStreams == 0)
    }

    @Test func `a client that goes away resets the tunnel`() {
        let (pair, id) = opened()
        pair.write(id, accepted)
        pair.run()
        pair.client.reset(id)
        pair.run()
        #expect(pair.resets == [id])
        #expect(pair.read(id) == .reset)
        #expect(pair.write(id, "into the void") == 13)
    }
}
