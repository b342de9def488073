internal import Testing

@testable internal import HTTPWire

/// What servers of WSGI applications lose that take ASCII alone.
@Suite struct OctetsAboveASCIITests {
    private func told(_ target: String, _ fields: [UInt8] = [], isPlain: Bool = false) -> String {
        let bytes = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n".utf8) + fields + [13, 10]
        var head = RequestHead()
        var scan = 0
        guard head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete else { return "" }
        let text = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 2, inASCII: !isPlain,
                hiding: OwnCookies(names: ["mooring"]), forwarded: Span(), into: &sink)
        }
        return text.split(separator: "\r\n").filter { $0.hasPrefix("Mooring-") }
            .joined(separator: "\n")
    }

    private func line(_ name: String, _ value: [UInt8]) -> [UInt8] {
        Array("\(name): ".utf8) + value + [13, 10]
    }

    @Test func `a target is repeated where its decoded path is ambiguous`() {
        #expect(told("/p/a%2Fb?x=<") == "Mooring-Target: /a%2Fb?x=%3C")
        #expect(told("/p/{a}") == "Mooring-Target: /{a}")
        #expect(told("/p/a~b!$&'()*+,;=:@?x=%2F") == "")
        #expect(told("/p/a%2Fb", isPlain: true) == "")
    }

    @Test func `fields with octets above ASCII are repeated, and others are not`() {
        let fields = line("X-Name", [0x4a, 0xe9, 0x2c, 0x25]) + line("X-Other", [0x4a])
        #expect(told("/p/", fields) == "Mooring-Octets: X-Name=J%e9%2c%25")
        #expect(told("/p/", fields, isPlain: true) == "")
    }

    @Test func `cookies are repeated without those that are hidden`() {
        let fields =
            line("Cookie", Array("mooring=x; a=".utf8) + [0xe9])
            + line("Cookie", Array("b=2".utf8))
        #expect(told("/p/", fields) == "Mooring-Octets: Cookie=a=%e9;%20b=2")
    }

    @Test(arguments: [
        "Mooring-Target", "mooring-octets", "Mooring_Target", "MOORING_OCTETS", "Mooring-octetS",
    ])
    func `a client's own fields of these names are not forwarded`(_ name: String) {
        #expect(told("/p/", line(name, Array("X-User=admin".utf8))) == "")
        #expect(told("/p/", line(name, Array("X-User=admin".utf8)), isPlain: true) == "")
    }

    private func answered(_ value: String) -> String {
        let bytes = Array(
            "HTTP/1.1 204 No Content\r\nMooring-Octets: \(value)\r\nDate: x\r\n\r\n".utf8)
        var head = ResponseHead()
        var scan = 0
        guard
            head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: .get)
                == .complete
        else { return "" }
        var octets: [UInt8] = Array(repeating: 0, count: 4096)
        unsafe octets.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            head.write(
                from: bytes.span, framing: .none, closes: false, date: Span(), setCookie: Span(),
                into: &sink)
            #expect(!sink.overflowed)
        }
        let text = String(octets.prefix { $0 != 0 }.map { Character(UnicodeScalar($0)) })
        #expect(!text.contains("Mooring-Octets"))
        return text.split(separator: "\r\n").dropFirst().prefix { !$0.hasPrefix("Via") }
            .filter { !$0.hasPrefix("Date") }.joined(separator: "\n")
    }

    @Test func `a response's field comes in its octets`() {
        #expect(answered("Content-Disposition=a%3Db%20%E9") == "Content-Disposition: a=b \u{e9}")
    }

    @Test(arguments: [
        "X=a%0d%0aSet-Cookie: b", "X=%", "X=%2", "X=%zz", "=x", "X", "X Y=1", "Content-Length=5",
        "Set-Cookie=a", "Transfer-Encoding=chunked", "Mooring-Pin=pin", "X=%00", "Connection=close",
    ])
    func `what is no field of an application's is left out`(_ value: String) {
        #expect(answered(value) == "")
    }
}
