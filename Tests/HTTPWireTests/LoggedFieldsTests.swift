internal import Testing

@testable internal import HTTPWire

@Suite struct LoggedFieldsTests {
    private struct Found {
        var host: String?
        var userAgent: String?
        var referer: String?
        var requestID: String?

        /// - Parameter line: the length of the request line; nil: up to the first line end.
        init(_ head: String, line: Int? = nil) {
            let bytes = Array(head.utf8)
            let end = line ?? bytes.firstIndex { $0 == 0x0d || $0 == 0x0a } ?? bytes.count
            let fields = LoggedFields(bytes.span, requestLine: 0..<end)
            func text(_ range: Range<Int>?) -> String? {
                range.map { String(decoding: bytes[$0], as: UTF8.self) }
            }
            host = text(fields.host)
            userAgent = text(fields.userAgent)
            referer = text(fields.referer)
            requestID = text(fields.requestID)
        }
    }

    @Test func `fields are found whatever the case of their names and the space around values`() {
        let found = Found(
            "GET / HTTP/1.1\r\nHOST:a.example\r\nuser-agent: \t curl/8 (x; y:z) \r\n"
                + "Referer: https://b/?c\r\nX-Request-Id: 77\r\n\r\n")
        #expect(found.host == "a.example")
        #expect(found.userAgent == "curl/8 (x; y:z)")
        #expect(found.referer == "https://b/?c")
        #expect(found.requestID == "77")
    }

    @Test func `missing fields are distinguished from empty ones`() {
        let found = Found("GET / HTTP/1.1\nHost: a\nUser-Agent:\n\n")
        #expect(found.userAgent == "")
        #expect(found.referer == nil && found.requestID == nil)
    }

    @Test func `the authority of an absolute target stands before the field`() {
        let found = Found("GET http://real.example:8?x HTTP/1.1\r\nHost: other\r\n\r\n")
        #expect(found.host == "real.example:8")
        #expect(Found("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").host == "h")
    }

    @Test func `of several fields of one name the first counts`() {
        let head = "GET / HTTP/1.1\r\nReferer: a\r\nReferer: b\r\n\r\n"
        #expect(Found(head).referer == "a")
    }

    @Test func `nothing is taken from what follows the head`() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\n\r\nReferer: body\r\n"
        #expect(Found(head).referer == nil)
    }

    @Test(arguments: ["", ":", "\r\n", "GET", "GET / HTTP/1.1\r\nHost", "\n:\n::\r", "x\n:\r\n"])
    func `no bytes are a trap`(head: String) {
        #expect(Found(head).userAgent == nil)
        #expect(Found(head, line: head.utf8.count).userAgent == nil)
        #expect(Found(head, line: head.utf8.count + 9).userAgent == nil)
    }
}
