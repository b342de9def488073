internal import HTTPWire
internal import Testing

@Suite struct CookieChangeTests {
    /// What fields do to `sessionid`, in January 2027.
    private func change(_ fields: String...) -> CookieChange {
        let lines = fields.map { "Set-Cookie: \($0)\r\n" }.joined()
        return ParsedResponse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\(lines)\r\n").sessionCookie
    }

    @Test func `an application's cookie is found by its whole name`() {
        #expect(change("sessionid=abc; Path=/") == .set)
        #expect(change(" sessionid = abc") == .set)
        #expect(change("sessionid2=abc") == .none)
        #expect(change("session=abc; sessionid=abc") == .none)
        #expect(change("SESSIONID=abc") == .none)
        #expect(change("sessionid; Path=/") == .none)
        #expect(change("=abc") == .none)
        #expect(change() == .none)
    }

    @Test(arguments: [
        "sessionid=", "sessionid=;", "sessionid=\"\"; Path=/", "sessionid= \t; Max-Age=3600",
        "sessionid=x; Max-Age=0", "sessionid=x;max-age = -5", "sessionid=x; Max-Age=60; Max-Age=0",
        "sessionid=x; Max-Age=-99999999999999999999",
        "sessionid=x; Max-Age=0; Expires=Tue, 19 Jan 2038 03:14:07 GMT",
        "sessionid=x; Max-Age=0; Max-Age=soon",
        "sessionid=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "sessionid=x; EXPIRES=Thu, 01-Jan-1970 00:00:00 GMT; Path=/",
        "sessionid=x; expires=Thursday, 01-Jan-70 00:00:00 GMT",
        "sessionid=x; expires=Thu Jan  1 00:00:00 1970",
        "sessionid=x; expires=1 january 99 0:0:0",
        "sessionid=x; expires=Fri, 15 Jan 2027 07:59:59 GMT",
        "sessionid=x; expires=Fri, 15 Jan 2027 08:00:00 GMT",
    ]) func `a cookie that is emptied or over is deleted`(field: String) {
        #expect(change(field) == .deleted)
    }

    @Test(arguments: [
        "sessionid=x", "sessionid=\"x\"", "sessionid=x; Max-Age=1", "sessionid=x; Max-Age",
        "sessionid=x; Max-Age=", "sessionid=x; Max-Age=-", "sessionid=x; Max-Age=0s",
        "sessionid=x; Max-Age=+0", "sessionid=x; Max-Age=0; Max-Age=60",
        "sessionid=x; Max-Age=99999999999999999999",
        "sessionid=x; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "sessionid=x; Expires=0", "sessionid=x; Expires=-1", "sessionid=x; Expires=",
        "sessionid=x; Expires=Thu, 32 Jan 1970 00:00:00 GMT",
        "sessionid=x; Expires=Thu, 01 Jan 1970 24:00:00 GMT",
        "sessionid=x; Expires=Thu, 01 Jan 1970 00:00 GMT",
        "sessionid=x; Expires=Thu, 01 Jan 1600 00:00:00 GMT",
        "sessionid=x; expires=Fri, 15 Jan 2027 08:00:01 GMT",
        "sessionid=x; expires=Sat, 28-Feb-37 12:00:00 GMT", "sessionid=x; xMax-Age=0",
    ]) func `a cookie that the user agent keeps is set`(field: String) {
        #expect(change(field) == .set)
    }

    @Test func `a field that sets the cookie counts for more than those that delete it`() {
        #expect(change("sessionid=; Path=/old", "sessionid=x") == .set)
        #expect(change("sessionid=x", "sessionid=; Path=/old") == .set)
        #expect(change("other=x", "sessionid=") == .deleted)
    }
}
