internal import Testing

@testable internal import HTTPWire

/// Floods: each ends with GOAWAY, code ENHANCE_YOUR_CALM, while the connection's memory stays bounded.
@Suite struct HTTP2FloodTests {
    private static let calm: UInt32 = 0xb

    /// Repeats frames until the connection is closed, which must be for a flood and soon.
    private func flooded(
        within limit: Int = 2000, _ raw: HTTP2Raw = HTTP2Raw(), _ bytes: (Int) -> [UInt8]
    ) -> HTTP2Raw {
        let isOpen = raw.repeatedly(limit, bytes)
        #expect(!isOpen)
        #expect(raw.pair.progress == .closed(.flood))
        raw.take()
        #expect(raw.goAways == [Self.calm])
        #expect(raw.pair.server.isFinished)
        return raw
    }

    @Test func `rapid reset ends the connection (CVE-2023-44487)`() {
        let raw = flooded(within: 501) { index in
            let id = Int32(index) * 2 + 1
            return HTTP2Frames.get(id) + HTTP2Frames.reset(id)
        }
        #expect(raw.pair.opened.isEmpty)
    }

    @Test func `rapid reset in pieces opens few streams and keeps none`() {
        let raw = HTTP2Raw()
        let isOpen = raw.repeatedly(4000) { index in
            let id = Int32(index / 2) * 2 + 1
            return index % 2 == 0 ? HTTP2Frames.get(id) : HTTP2Frames.reset(id)
        }
        #expect(!isOpen)
        #expect(raw.pair.opened.count <= 501)
        // The user has not closed them; what it holds is bounded all the same.
        #expect(raw.pair.server.openStreams <= 200)
    }

    @Test func `streams beyond those that clients gave up are refused until they are closed`() {
        let raw = HTTP2Raw()
        #expect(
            raw.repeatedly(201) { index in
                let id = Int32(index) * 2 + 1
                raw.pair.now += 1_000_000_000
                raw.feed(HTTP2Frames.get(id))
                return HTTP2Frames.reset(id)
            })
        #expect(raw.pair.opened.count == 200)
        #expect(raw.resetCode(401) == 7)
        raw.pair.resets.forEach { raw.pair.server.forget($0) }
        #expect(raw.pair.server.openStreams == 0)
        raw.feed(HTTP2Frames.get(501))
        #expect(raw.pair.opened.last == 501)
    }

    @Test func `more streams at once than announced are not opened`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.frame(4, 1, 0, []))
        #expect(raw.repeatedly(100) { HTTP2Frames.get(Int32($0) * 2 + 1) })
        raw.feed(HTTP2Frames.get(201))
        #expect(raw.pair.opened.count == 100)
        #expect(raw.goAways == [1] || raw.resetCode(201) == 7)
    }

    @Test func `resets that the server is provoked to end the connection (CVE-2025-8671)`() {
        _ = flooded(within: 300) { index in
            let id = Int32(index) * 2 + 1
            return HTTP2Frames.get(id) + HTTP2Frames.windowUpdate(id, 0x7fff_ffff)
        }
        _ = flooded(within: 300) { index in
            let id = Int32(index) * 2 + 1
            let head = HTTP2Client.head("POST", "/") + [("content-length", "1")]
            return HTTP2Frames.headers(id, head, endsStream: false) + HTTP2Frames.data(id, "two")
        }
    }

    @Test func `CONTINUATION without end ends the connection (CVE-2024-27316)`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.headers(1, HTTP2Client.head("GET", "/"), endsBlock: false))
        let more = HTTP2Frames.frame(9, 0, 1, HTTP2Frames.block([("x", "y")]))
        _ = flooded(within: 16, raw) { _ in more }
    }

    @Test func `SETTINGS again and again end the connection (CVE-2019-9515)`() {
        _ = flooded { _ in HTTP2Frames.frame(4, 0, 0, []) }
    }

    @Test func `a SETTINGS frame of very many settings ends the connection`() {
        let raw = HTTP2Raw()
        let setting: [UInt8] = [0, 4, 0, 0, 255, 255]
        raw.feed(HTTP2Frames.frame(4, 0, 0, (0..<100).flatMap { _ in setting }))
        raw.take()
        #expect(raw.goAways == [Self.calm])
    }

    @Test func `pings again and again end the connection (CVE-2019-9512)`() {
        _ = flooded { _ in HTTP2Frames.frame(6, 0, 0, [UInt8](repeating: 0, count: 8)) }
    }

    @Test func `answers to pings do not pile up for a client that does not read`() {
        let raw = HTTP2Raw()
        raw.takes = false
        _ = flooded(within: 150, raw) { _ in
            HTTP2Frames.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))
        }
    }

    @Test func `data frames without data end the connection (CVE-2019-9518)`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(1, endsStream: false))
        _ = flooded(within: 300, raw) { _ in HTTP2Frames.data(1, "") }
        let padded = HTTP2Raw()
        padded.feed(HTTP2Frames.get(1, endsStream: false))
        _ = flooded(within: 300, padded) { _ in HTTP2Frames.frame(0, 8, 1, [3, 0, 0, 0]) }
    }

    @Test func `header blocks without fields end the connection`() {
        _ = flooded(within: 300) { HTTP2Frames.headers(Int32($0) * 2 + 1, []) }
    }

    @Test func `window updates that no data calls for end the connection`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(1, endsStream: false))
        _ = flooded(within: 3000, raw) { _ in HTTP2Frames.windowUpdate(1, 1) }
    }

    @Test(arguments: [2, 16, 99] as [UInt8])
    func `frames of priority and of no known type end the connection`(type: UInt8) {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(1, endsStream: false))
        let payload: [UInt8] = type == 2 ? [0, 0, 0, 0, 16] : [0, 0, 0, 1, 117, 61, 49]
        _ = flooded(within: 5000, raw) { _ in HTTP2Frames.frame(type, 0, type == 2 ? 1 : 0, payload)
        }
    }

    @Test(arguments: [
        HTTP2Frames.frame(2, 0, 1, [0, 0, 0, 1, 16]),
        HTTP2Frames.frame(
            1, 0x25, 3, [0, 0, 0, 3, 16] + HTTP2Frames.block(HTTP2Client.head("GET", "/"))),
    ])
    func `a stream that depends on itself is ignored or an error (CVE-2019-9513)`(bytes: [UInt8]) {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(1) + bytes)
        raw.pair.write(1, "HTTP/1.1 204 No Content\r\n\r\n")
        raw.take()
        let isAnswered = raw.sent.contains { $0.type == 1 && $0.stream == 1 }
        #expect(isAnswered != (raw.goAways == [1] || raw.resetCode(1) == 1))
    }

    @Test func `malformed requests again and again end the connection`() {
        _ = flooded(within: 300) { index in
            HTTP2Frames.headers(Int32(index) * 2 + 1, HTTP2Client.head("GET", "/") + [("A", "b")])
        }
    }

    @Test func `a header table bomb costs no memory and ends the connection`() {
        let raw = HTTP2Raw()
        // One entry that fills the dynamic table, then references to it, 4000 octets each.
        let big = HTTP2Client.head("GET", "/")
        let entry: [UInt8] = [0x40, 1, 120, 127, 0xa1, 30] + [UInt8](repeating: 97, count: 4000)
        _ = flooded(within: 300, raw) { index in
            let references = [UInt8](repeating: 0xbe, count: 10_000)
            return HTTP2Frames.frame(
                1, 5, Int32(index) * 2 + 1, HTTP2Frames.block(big) + entry + references)
        }
        #expect(raw.pair.opened.isEmpty)
    }

    @Test func `what was misbehaved is forgotten with time`() {
        let raw = HTTP2Raw()
        #expect(
            raw.repeatedly(5000) { _ in
                raw.pair.now += 25_000_000
                return HTTP2Frames.frame(6, 0, 0, [UInt8](repeating: 0, count: 8))
            })
    }

    @Test func `a busy client that cancels every third request is welcome`() {
        let raw = HTTP2Raw()
        let isOpen = raw.repeatedly(4000) { index in
            let id = Int32(index) * 2 + 1
            raw.feed(HTTP2Frames.get(id))
            guard index % 3 == 0 else {
                raw.pair.write(id, "HTTP/1.1 204 No Content\r\n\r\n")
                raw.pair.server.forget(id)
                return []
            }
            raw.pair.server.forget(id)
            return HTTP2Frames.reset(id)
        }
        #expect(isOpen)
        #expect(raw.pair.server.openStreams == 0)
    }

    @Test func `a client that takes a large body in small steps is welcome`() {
        let pair = HTTP2Pair(window: 1024)
        let id = pair.client.get("/")
        pair.run()
        pair.write(id, "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
        var left = 4_000_000
        let part = [UInt8](repeating: 97, count: 50_000)
        while left > 0 {
            left -= pair.write(id, Array(part.prefix(left)))
            #expect(pair.run())
        }
        #expect(pair.progress == .ok)
        #expect(pair.answer(id).body.count == 4_000_000)
    }
}
