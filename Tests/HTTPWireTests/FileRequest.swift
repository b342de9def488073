internal import Testing

@testable internal import HTTPWire

/// A GET with the given fields, for what is read from it.
func withRequest<Result>(_ fields: [String], _ body: (borrowing RequestHead, Span<UInt8>) -> Result)
    -> Result
{
    let lines = fields.map { "\($0)\r\n" }.joined()
    let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n".utf8)
    var head = RequestHead()
    var scan = 0
    let parsed = head.parse(bytes.span, resumeFrom: &scan, limit: 16 * 1024)
    #expect(parsed == .complete)
    return body(head, bytes.span)
}
