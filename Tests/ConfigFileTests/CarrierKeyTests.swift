internal import ConfigFile
internal import Settings
internal import Testing

/// `carrier`: what carries a session.
@Suite struct CarrierKeyTests {
    private func carriers(_ text: String) throws -> [SessionCarrier] {
        try read(text).routes.map(\.affinity.carrier)
    }

    @Test func `the cookie carries a session where nothing else is said`() throws {
        #expect(try carriers(someGroup) == [.cookie])
        #expect(try carriers("[affinity]\ncarrier = \"cookie\"\n" + someGroup) == [.cookie])
    }

    @Test func `an id is in a parameter or in a segment`() throws {
        #expect(
            try carriers("[affinity]\ncarrier = \"query:sid\"\n" + someGroup) == [.query("sid")])
        #expect(try carriers("[affinity]\ncarrier = \"path:16\"\n" + someGroup) == [.path(16)])
    }

    @Test func `the file, a group and a route each may name another carrier`() throws {
        let text = """
            [affinity]
            carrier = "header:X-Sid"
            [group.a]
            wsgi = "a.wsgi"
            [group.b]
            wsgi = "b.wsgi"
            affinity = { carrier = "header:Mcp-Session-Id" }
            [routes]
            "/a" = "a"
            "/b" = "b"
            "/c" = { group = "b", affinity = { carrier = "cookie", cookie = "c" } }
            """
        #expect(try carriers(text) == [.header("X-Sid"), .header("Mcp-Session-Id"), .cookie])
    }

    @Test(arguments: [
        "header", "header:", "header:X_Sid", "header:X Sid", "header:Cookie", "header:host",
        "header:Mooring-Session", "header:X-Forwarded-User", "session", "", "query:", "query:a=b",
        "query:a b", "path", "path:0", "path:17", "path:02", "path:+2", "path:x", "cookie:a",
    ])
    func `what carries no session is refused with what would`(carrier: String) {
        let found = problems("[affinity]\ncarrier = \"\(carrier)\"\n" + someGroup)
        #expect(found.count == 1)
        #expect(found.allSatisfy { $0.hasPrefix("mooring.toml:2: affinity.carrier: ") })
    }

    @Test(arguments: [
        "learn = [\"a\"]", "cookie = \"a\"", "max_age = \"1h\"", "same_site = \"lax\"",
        "secure = \"always\"", "http_only = true", "partitioned = false", "domain = \"a.org\"",
        "forward_cookie = true",
    ])
    func `a key of the cookie beside another carrier is a mistake`(line: String) throws {
        let carried = "[affinity]\ncarrier = \"header:X-Sid\"\n"
        let found = problems(carried + line + "\n" + someGroup)
        let right = "has no effect with carrier = \"header:X-Sid\"; take it out"
        #expect(found.count == 1 && found.allSatisfy { $0.contains(right) }, "\(found)")
        // What a group inherits is for others.
        let group = someGroup + "affinity = { carrier = \"header:X-Sid\" }\n"
        #expect(problems("[affinity]\n\(line)\n" + group) == [])
    }

    private func fields(_ text: String) throws -> [String] {
        try read(text).routes.map(\.affinity.userField)
    }

    @Test(arguments: ["X-Auth-User", "X-Forwarded-User", "Remote-User"])
    func `a field of a proxy names the user`(name: String) throws {
        #expect(try fields("[affinity]\nby = \"header:\(name)\"\n" + someGroup) == [name])
        let group = someGroup + "affinity = { by = \"\" }\n"
        #expect(try fields("[affinity]\nby = \"header:\(name)\"\n" + group) == [""])
    }

    @Test(arguments: [
        "X-Auth-User", "header:", "query:user", "header:X-Forwarded-For", "header:Cookie",
        "header:X_User", "cookie",
    ])
    func `what names no user is refused`(by: String) {
        let found = problems("[affinity]\nby = \"\(by)\"\n" + someGroup)
        #expect(found.count == 1)
        #expect(found.allSatisfy { $0.hasPrefix("mooring.toml:2: affinity.by: ") })
    }

    @Test func `a session goes by the user or by another carrier`() {
        let by = "by = \"header:X-User\"\n"
        let carrier = "carrier = \"query:sid\"\n"
        let both = problems("[affinity]\n" + by + carrier + someGroup)
        #expect(both.count == 1 && both.allSatisfy { $0.contains("use one of by and carrier") })
        let inherited = "[affinity]\n" + by + someGroup + "affinity = { \(carrier.dropLast()) }\n"
        #expect(problems(inherited).count == 1)
        let apart = inherited.replacing("{ carrier", with: "{ by = \"\", carrier")
        #expect(problems(apart) == [])
    }

    @Test func `a user whom nobody may name is warned of`() throws {
        let text = "[affinity]\nby = \"header:X-User\"\n" + someGroup
        #expect(
            try read(text).warnings.contains { $0.hasPrefix("affinity.by: no listener trusts") })
        let listener = "[[listen]]\naddress = \"127.0.0.1:81\"\ntrusted_proxies = [\"10.0.0.1\"]\n"
        #expect(try !read(listener + text).warnings.contains { $0.contains("affinity.by") })
    }

    @Test func `a route without sessions has no carrier`() {
        let text = "[affinity]\ncarrier = \"header:X-Sid\"\npin = \"never\"\n" + someGroup
        #expect(problems(text).count == 1)
    }

    @Test func `groups that set no cookie share none`() throws {
        let text = """
            [group.a]
            wsgi = "a.wsgi"
            [group.b]
            wsgi = "b.wsgi"
            affinity = { carrier = "header:Mcp-Session-Id" }
            [routes]
            "/" = "a"
            "example.org/" = "b"
            """
        #expect(try !read(text).warnings.contains { $0.contains("the same cookie") })
    }
}
