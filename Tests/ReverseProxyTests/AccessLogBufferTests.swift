internal import Settings
internal import Testing

@testable internal import ReverseProxy

@Suite struct AccessLogBufferTests {
    private func buffer(_ format: AccessLogSettings.Format = .mooring) -> AccessLogBuffer {
        AccessLogBuffer(writer: nil, format: format)
    }

    private func text(_ buffer: AccessLogBuffer) -> String {
        String(decoding: buffer.bytes, as: UTF8.self)
    }

    @Test func `control characters and quotes of a client cannot start a line or end a string`() {
        var log = buffer()
        let hostile = Array("a\r\n\u{1b}[2J\"\\\u{7f}é".utf8)
        log.append(escaping: hostile.span)
        #expect(text(log) == "a\\x0d\\x0a\\x1b[2J\\x22\\x5c\\x7f\\xc3\\xa9")
    }

    @Test func `JSON escapes are JSON's own`() {
        var log = buffer(.json)
        let hostile = Array("\"\n".utf8)
        log.append(escaping: hostile.span)
        #expect(text(log) == "\\u0022\\u000a")
    }

    @Test func `a session's id is written as processes get it`() {
        var log = buffer(.json)
        log.append(hex: 0x0123_4567_89ab_cdef, digits: 16)
        log.append(hex: 0xff, digits: 8)
        #expect(text(log) == "0123456789abcdef000000ff")
    }

    @Test func `durations have six digits behind the point`() {
        var log = buffer()
        log.append(seconds: 61_000_042_999)
        log.append(" ")
        log.append(seconds: -5)
        #expect(text(log) == "61.000042 0.000000")
    }
}
