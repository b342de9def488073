internal import Testing

@testable internal import HTTPWire

/// Frames on streams that are over (RFC 9113 sections 5.1 and 5.1.1), and PRIORITY without sense (6.3).
@Suite struct HTTP2ClosedStreamTests {
    private let streamClosed: UInt32 = 5
    private let protocolError: UInt32 = 1
    /// HEADERS and DATA, as they come on a stream that is over.
    private static let late = [HTTP2Frames.get(1), HTTP2Frames.data(1, "late")]

    private func answered() -> HTTP2Raw {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(1))
        raw.pair.write(1, "HTTP/1.1 204 No Content\r\n\r\n")
        raw.pair.server.forget(1)
        raw.take()
        return raw
    }

    private func upload(_ raw: HTTP2Raw = HTTP2Raw(), on stream: Int32 = 1) -> HTTP2Raw {
        raw.feed(HTTP2Frames.get(stream, endsStream: false))
        return raw
    }

    @Test(arguments: late)
    func `a frame on a stream that has ended ends the connection`(frame: [UInt8]) {
        let raw = answered()
        raw.feed(frame)
        #expect(raw.goAways == [streamClosed])
        #expect(raw.pair.progress == .closed(.streamClosed))
    }

    @Test(arguments: late)
    func `a frame on a stream that its client has reset is a stream error`(frame: [UInt8]) {
        let raw = upload()
        raw.feed(HTTP2Frames.reset(1))
        raw.feed(frame)
        #expect(raw.resetCode(1) == streamClosed)
        #expect(raw.goAways.isEmpty)
        raw.feed(HTTP2Frames.get(3))
        #expect(raw.pair.opened.contains(3))
    }

    @Test(arguments: late)
    func `a reset and the frame behind it may come together, split anywhere`(frame: [UInt8]) {
        for step in [1, 2, 5, 9, 10, Int.max] {
            let raw = upload()
            raw.pair.step = step
            raw.feed(HTTP2Frames.reset(1) + frame)
            #expect(raw.resetCode(1) == streamClosed, "in steps of \(step)")
            #expect(raw.goAways.isEmpty)
        }
    }

    @Test(arguments: late)
    func `what was under way when this side reset the stream is ignored`(frame: [UInt8]) {
        let raw = upload()
        raw.pair.server.reset(1)
        raw.pair.server.forget(1)
        raw.take()
        raw.feed(frame + HTTP2Frames.data(1, "more", endsStream: true))
        #expect(raw.goAways.isEmpty)
        #expect(raw.sent.filter { $0.type == 3 }.count == 1)
    }

    @Test func `an upload that is cut after its answer may go on for a while`() {
        let raw = upload()
        raw.pair.write(1, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        raw.pair.server.forget(1)
        raw.take()
        #expect(raw.resetCode(1) == 0)
        raw.feed(HTTP2Frames.data(1, "more") + HTTP2Frames.data(1, "end", endsStream: true))
        #expect(raw.goAways.isEmpty)
    }

    @Test func `a window full of an upload that is cut after its answer costs nothing`() {
        let raw = HTTP2Raw()
        // Others of the connection must not be cut off with them.
        raw.feed(HTTP2Frames.get(1))
        for stream in stride(from: Int32(3), through: 41, by: 2) {
            _ = upload(raw, on: stream)
            raw.pair.write(stream, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            raw.pair.server.forget(stream)
            raw.take()
            for _ in 0..<128 {
                raw.feed(HTTP2Frames.data(stream, String(repeating: "x", count: 1024)))
            }
        }
        #expect(raw.goAways.isEmpty)
        #expect(raw.pair.progress == .ok)
    }

    @Test func `more than a window behind a reset is a flood`() {
        let raw = upload()
        raw.pair.write(1, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        raw.pair.server.forget(1)
        raw.take()
        let isOpen = raw.repeatedly(1024) { _ in
            HTTP2Frames.data(1, String(repeating: "x", count: 1024))
        }
        #expect(!isOpen)
        #expect(raw.pair.progress == .closed(.flood))
    }

    @Test func `the body of a malformed request is ignored`() {
        let raw = HTTP2Raw()
        let head = HTTP2Client.head("POST", "/") + [("connection", "close")]
        raw.feed(
            HTTP2Frames.headers(1, head, endsStream: false) + HTTP2Frames.data(1, "body")
                + HTTP2Frames.data(1, "", endsStream: true))
        #expect(raw.resetCode(1) == protocolError)
        #expect(raw.goAways.isEmpty)
    }

    @Test func `the body of a refused stream is ignored`() {
        var settings = HTTP2Settings()
        settings.maxConcurrentStreams = 1
        let raw = HTTP2Raw(settings)
        // The client has not read the limit yet.
        raw.feed(HTTP2Frames.get(1, endsStream: false))
        raw.feed(
            HTTP2Frames.get(3, endsStream: false) + HTTP2Frames.data(3, "body", endsStream: true))
        #expect(raw.resetCode(3) == 7)
        #expect(raw.goAways.isEmpty)
    }

    @Test func `frames of streams that were reset long ago are late and no error`() {
        var settings = HTTP2Settings()
        settings.glitchLimit = 1_000_000
        let raw = HTTP2Raw(settings)
        for stream in stride(from: Int32(1), to: 1201, by: 2) {
            _ = upload(raw, on: stream)
            raw.pair.server.reset(stream)
            raw.pair.server.forget(stream)
            raw.take()
        }
        raw.feed(HTTP2Frames.data(1, "late"))
        #expect(raw.goAways.isEmpty)
    }

    @Test func `a stream below the highest that was never opened ends the connection`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.get(5))
        raw.feed(HTTP2Frames.get(3))
        #expect(raw.goAways == [protocolError])
        #expect(!raw.pair.opened.contains(3))
    }

    @Test func `frames on open streams are no errors`() {
        let raw = upload()
        raw.feed(HTTP2Frames.data(1, "one"))
        raw.feed(HTTP2Frames.get(3))
        raw.feed(HTTP2Frames.data(1, "two"))
        raw.feed(HTTP2Frames.headers(1, [("x-sum", "1")]))
        #expect(raw.goAways.isEmpty)
        #expect(raw.sent.allSatisfy { $0.type != 3 })
    }

    @Test func `PRIORITY on the connection ends it`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.frame(2, 0, 0, HTTP2Frames.word(0) + [16]))
        #expect(raw.goAways == [protocolError])
    }

    @Test func `PRIORITY of an open stream on itself resets the stream`() {
        let raw = upload()
        raw.feed(HTTP2Frames.frame(2, 0, 1, HTTP2Frames.word(1) + [16]))
        #expect(raw.resetCode(1) == protocolError)
        #expect(raw.goAways.isEmpty)
    }

    @Test func `PRIORITY of another stream on itself ends the connection`() {
        let raw = HTTP2Raw()
        raw.feed(HTTP2Frames.frame(2, 0, 1, HTTP2Frames.word(1) + [16]))
        #expect(raw.goAways == [protocolError])
    }

    @Test func `PRIORITY with sense is ignored on any stream`() {
        let raw = answered()
        for stream: Int32 in [1, 3, 101] {
            raw.feed(HTTP2Frames.frame(2, 0, stream, HTTP2Frames.word(0x8000_0007) + [16]))
        }
        #expect(raw.goAways.isEmpty)
        #expect(raw.sent.allSatisfy { $0.type != 3 })
    }

    @Test func `resets provoked with frames on closed streams end as a flood`() {
        let raw = upload()
        raw.feed(HTTP2Frames.reset(1))
        #expect(!raw.repeatedly(1000) { _ in HTTP2Frames.data(1, "late") })
        #expect(raw.goAways == [11])
    }
}

/// Which head is incomplete, for the owner of the head's deadline.
@Suite struct HTTP2OpenHeadTests {
    private func fed(_ bytes: [UInt8]) -> HTTP2Connection {
        let connection = HTTP2Connection(HTTP2Settings())
        _ = connection.receive(bytes.span, now: 1)
        return connection
    }

    @Test func `a connection begins with its preface open, frame behind it included`() {
        let hello = HTTP2Frames.hello
        let first = fed([]).openHead
        #expect(first != nil)
        for count in 0..<hello.count {
            #expect(fed(Array(hello[..<count])).openHead == first)
        }
        #expect(fed(hello).openHead == nil)
    }

    @Test func `a head is open until its last octet`() {
        let bytes =
            HTTP2Frames.headers(1, HTTP2Client.head("GET", "/"), endsBlock: false)
            + HTTP2Frames.frame(9, 0, 1, []) + HTTP2Frames.frame(9, 4, 1, [])
        var heads: Set<Int?> = []
        for count in 1..<bytes.count {
            heads.insert(fed(HTTP2Frames.hello + bytes[..<count]).openHead)
        }
        #expect(heads.count == 1 && !heads.contains(nil), "it is one head all the time")
        #expect(fed(HTTP2Frames.hello + bytes).openHead == nil)
    }

    @Test func `the next head is another`() {
        let get = HTTP2Frames.get(1)
        let one = fed(HTTP2Frames.hello + get.dropLast()).openHead
        let two = fed(HTTP2Frames.hello + get + HTTP2Frames.get(3).dropLast()).openHead
        #expect(one != nil && two != nil && one != two)
    }

    @Test func `data is no head`() {
        let data = HTTP2Frames.get(1, endsStream: false) + HTTP2Frames.data(1, "some data")
        #expect(fed(HTTP2Frames.hello + data.dropLast(4)).openHead == nil)
    }

    @Test func `giving up a head ends the connection without an error`() {
        let raw = HTTP2Raw()
        raw.feed(Array(HTTP2Frames.get(1).dropLast()))
        raw.pair.server.giveUpHead()
        raw.take()
        #expect(raw.goAways == [0])
        #expect(raw.pair.server.isFinished)
    }
}
