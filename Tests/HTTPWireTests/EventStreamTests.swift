internal import Testing

@testable internal import HTTPWire

@Suite struct EventStreamTests {
    private func isEventStream(_ type: String) -> Bool {
        let bytes = Array("HTTP/1.1 200 OK\r\nX-Content-Type: a\r\n\(type)\r\n\r\n".utf8)
        var head = ResponseHead()
        var scanned = 0
        _ = head.parse(bytes.span, resumeFrom: &scanned, limit: 8192, requestMethod: .get)
        return head.isEventStream(in: bytes.span)
    }

    @Test func `an event stream is known by its type, with parameters and in any case`() {
        #expect(isEventStream("Content-Type: text/event-stream"))
        #expect(isEventStream("content-type: Text/Event-Stream ; charset=utf-8"))
    }

    @Test func `no other type is an event stream`() {
        #expect(!isEventStream("Content-Type: text/event-streams"))
        #expect(!isEventStream("Content-Type: text/plain; x=text/event-stream"))
        #expect(!isEventStream("X-Type: text/event-stream"))
    }

    @Test func `a close frame fits between frames and not into one`() {
        var frames = WebSocketFrames(isMasked: false)
        #expect(frames.isBetweenFrames)
        let half: [UInt8] = [0x82, 0x03, 0x61]
        _ = frames.pass(half.span)
        #expect(!frames.isBetweenFrames)
        let rest: [UInt8] = [0x62, 0x63]
        _ = frames.pass(rest.span)
        #expect(frames.isBetweenFrames)
    }
}
