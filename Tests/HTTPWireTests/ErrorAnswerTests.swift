internal import Testing

@testable internal import HTTPWire

@Suite struct ErrorAnswerTests {
    private func answer(isHead: Bool = false, closes: Bool = false) -> String {
        let body = Array("503\n".utf8)
        let date = Array("Sun, 22 Nov 2026 10:00:00 GMT".utf8)
        return written { sink in
            ErrorAnswer(
                status: 503, error: "destination_unavailable", details: "queue full",
                retryAfterSeconds: 7, closes: closes, isHead: isHead,
                type: ErrorPage.mediaType(.text)
            ).write(body: body.span, date: date.span, into: &sink) { $0.append("X-More: 1\r\n") }
        }
    }

    @Test func `it tells the reason and when to come back, and no name of the inside (RFC 9209)`() {
        let text = answer()
        #expect(text.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(
            text.contains(
                "Proxy-Status: mooring; error=destination_unavailable; "
                    + "details=\"queue full\"\r\n"))
        #expect(text.contains("Retry-After: 7\r\n") && text.contains("\r\nX-More: 1\r\n"))
    }

    @Test func `its length is that of its body and HEAD gets none`() {
        #expect(answer().contains("Content-Length: 4\r\n") && answer().hasSuffix("\r\n\r\n503\n"))
        #expect(answer(isHead: true).contains("Content-Length: 4\r\n"))
        #expect(answer(isHead: true).hasSuffix("\r\n\r\n"))
    }

    @Test func `it states when the connection closes`() {
        #expect(answer(closes: true).contains("Connection: close\r\n"))
        #expect(!answer().contains("Connection"))
    }
}
