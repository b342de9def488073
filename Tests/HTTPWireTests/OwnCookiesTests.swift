internal import Testing

@testable internal import HTTPWire

/// Cookies of ours that a process tries to set.
@Suite struct OwnCookiesTests {
    private func parsed(_ fields: String...) -> ParsedResponse {
        ParsedResponse(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                + fields.map { $0 + "\r\n" }.joined() + "\r\n")
    }

    @Test(arguments: [
        "mooring=x", "mooring=x; Path=/; HttpOnly", "__Host-mooring=x; Secure; Path=/",
        "__Secure-mooring=x", "__host-MOORING=x", "other=x", "__Host-other=x", "Mooring=x",
        "=mooring=x", "= mooring=x", "==mooring=x", "  =  __Host-mooring=x", "mooring =x",
        "\t mooring\t= x", "\"mooring\"=x", "\"mooring=x\"", "=\"mooring\"=x", "mooring",
        "=mooring",
        "mooring;x", "mooring=",
    ])
    func `no process sets a cookie of ours, in no spelling`(_ value: String) {
        let parsed = parsed("Set-Cookie: a=1", "set-cookie: \(value)", "Set-Cookie: b=2")
        #expect(parsed.removedCookies == 1)
        #expect(parsed.forwarded.contains("\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"))
        #expect(!parsed.forwarded.contains("set-cookie:"))
    }

    @Test(arguments: [
        "mooring2=x", "xmooring=x", "a=mooring=x", "a=1; mooring=x", "__Hostmooring=x",
        "moor ing=x",
        "__Host-=x", "", "=", "=x", "session=\"mooring=x\"", "mooring.x=1",
    ])
    func `cookies of the application pass`(_ value: String) {
        let parsed = parsed("Set-Cookie: \(value)")
        #expect(parsed.removedCookies == 0)
        #expect(parsed.forwarded.contains("\r\nSet-Cookie: \(value)\r\n"))
    }

    @Test func `each field counts`() {
        let parsed = parsed("Set-Cookie: mooring=x", "Set-Cookie: =mooring=y", "Set-Cookie: c=3")
        #expect(parsed.removedCookies == 2)
    }
}
