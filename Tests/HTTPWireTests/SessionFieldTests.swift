internal import Testing

@testable internal import HTTPWire

/// The field of an application that carries a session.
@Suite struct SessionFieldTests {
    private static func request(_ fields: String) -> [UInt8] {
        Array("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
    }

    private static func parsed(_ bytes: [UInt8]) -> RequestHead {
        var head = RequestHead()
        var scan = 0
        _ = head.parse(bytes.span, resumeFrom: &scan, limit: 8192)
        return head
    }

    private static func line(_ head: borrowing RequestHead, _ bytes: [UInt8], _ name: String)
        -> Int?
    {
        let name = Array(name.utf8)
        return head.fields.only(name.span, in: bytes.span)
    }

    private static func line(
        _ head: borrowing ResponseHead, _ bytes: [UInt8], _ name: String
    ) -> Int? {
        let name = Array(name.utf8)
        return head.fields.only(name.span, in: bytes.span)
    }

    /// The value of the one field; nil: there is none to be relied on.
    private func value(_ fields: String) -> String? {
        let bytes = Self.request(fields)
        let head = Self.parsed(bytes)
        guard let index = Self.line(head, bytes, "x-sid") else { return nil }
        return text(bytes, head.fields[index].value.range)
    }

    @Test func `a field is found in any letters, between others`() {
        #expect(value("X-A: 1\r\nX-SID:  abc \r\nX-B: 2\r\n") == "abc")
        #expect(value("x-sid: abc\r\n") == "abc")
        #expect(value("X-Sid:\r\n") == "")
    }

    @Test func `none is found where there are several, another, or one that ends here`() {
        #expect(value("X-A: 1\r\n") == nil)
        #expect(value("X-Sid: a\r\nX-Sid: b\r\n") == nil)
        #expect(value("X-Sid2: a\r\nX-Si: b\r\nX_Sid: c\r\n") == nil)
        #expect(value("X-Sid: a\r\nConnection: x-sid\r\n") == nil)
    }

    @Test func `a token is cut off its line, and the line is left to the caller`() {
        let bytes = Self.request("X-A: 1\r\nX-Sid: abc~TOKEN \r\nX-B: 2\r\n")
        var head = Self.parsed(bytes)
        let value = head.fields[2].value.range
        let line = head.cutOff(ByteRange(value.upperBound - 6..<value.upperBound))
        #expect(text(bytes, line.range) == "X-Sid: abc")
        #expect(Self.line(head, bytes, "x-sid") == nil)
        #expect(Self.line(head, bytes, "x-b") == 3)
    }

    @Test func `a response's line is taken out without its end`() {
        let bytes = Array("HTTP/1.1 200 OK\r\nX-Sid: abc \nContent-Length: 0\r\n\r\n".utf8)
        var head = ResponseHead()
        var scan = 0
        let result = head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
        #expect(result == .complete)
        #expect(Self.line(head, bytes, "x-sid") == 0)
        #expect(text(bytes, head.takeOut(0).range) == "X-Sid: abc")
        #expect(Self.line(head, bytes, "x-sid") == nil)
    }

    /// The names of the lines that are passed on.
    private func left(_ fields: String, isTrusted: Bool) -> [String] {
        let bytes = Self.request(fields)
        var head = Self.parsed(bytes)
        let name = Array("x-user".utf8)
        head.dropClaims(of: name.span, isTrusted: isTrusted, in: bytes.span)
        var names: [String] = []
        for index in 0..<head.fields.count where !head.fields[index].removed {
            names.append(text(bytes, head.fields[index].name.range))
        }
        return names
    }

    @Test func `only a trusted sender speaks for a user, and only once`() {
        #expect(left("X-User: ann\r\nX-A: 1\r\n", isTrusted: true) == ["X-User", "X-A"])
        #expect(left("X-User: ann\r\nX-A: 1\r\n", isTrusted: false) == ["X-A"])
        #expect(left("X-User: ann\r\nx-user: bob\r\n", isTrusted: true) == [])
    }

    @Test func `what CGI would take for the field is passed on from nobody`() {
        for isTrusted in [true, false] {
            #expect(left("X_User: ann\r\nx_USER: bob\r\n", isTrusted: isTrusted) == [])
        }
        #expect(left("X_User: bob\r\nX-User: ann\r\n", isTrusted: true) == ["X-User"])
    }

    @Test func `a proxy's own field is found although it is written anew`() {
        let bytes = Self.request("X-Forwarded-User: ann\r\n")
        let head = Self.parsed(bytes)
        let name = Array("x-forwarded-user".utf8)
        let plain = head.fields.only(name.span, in: bytes.span)
        let forwarded = head.fields.only(name.span, in: bytes.span, orForwarded: true)
        #expect(plain == nil && forwarded == 1)
    }
}
