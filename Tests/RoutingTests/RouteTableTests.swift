internal import Routing
internal import Testing

/// Matches texts against a table of patterns, by the pattern's own text.
func match(_ patterns: [String], host: String = "example.org", _ path: String) throws -> String? {
    let routes = try patterns.map { text in
        let pattern = try RouteTable.parse(text)
        return Route(host: pattern.host, prefix: pattern.prefix, group: 0)
    }
    let hostBytes = Array(host.utf8)
    let pathBytes = Array(path.utf8)
    return RouteTable(routes).match(host: hostBytes.span, path: pathBytes.span)
        .map { patterns[$0] }
}

@Suite struct RouteTableTests {
    @Test(arguments: [
        ("/", "/"), ("/x", "/"), ("/admin", "/admin"), ("/admin/", "/admin"),
        ("/admin/x", "/admin"), ("/administrator", "/"), ("/admi", "/"), ("/Admin", "/"),
        ("/admin?x=/", "/admin"), ("/?/admin", "/"), ("/admin#x", "/admin"),
        ("/admin/site/x", "/admin/site"), ("/admin/sites", "/admin"),
        ("", "/"), ("*", "/"), ("?q", "/"),
    ])
    func `the longest prefix of whole segments wins`(path: String, expected: String) throws {
        #expect(try match(["/", "/admin", "/admin/site"], path) == expected)
    }

    @Test(arguments: [
        "/%61dmin", "/%61%64%6D%69%6e/x", "//admin", "///admin//x", "/admin%2Fx", "/%2Fadmin",
        "%2Fadmin", "/admin%2f", "/admin%2F%2fx",
    ])
    func `escapes and doubled slashes do not hide a path`(path: String) throws {
        #expect(try match(["/", "/admin"], path) == "/admin")
    }

    @Test(arguments: [
        "/admin%", "/admin%2", "/admin%zz", "/%2561dmin", "/admin%00", "/%", "/admin%3Fx",
    ])
    func `what is no escape stays what it is, and is decoded once`(path: String) throws {
        #expect(try match(["/", "/admin"], path) == "/")
    }

    @Test func `a prefix of another script matches its escapes`() throws {
        #expect(try match(["/", "/über"], "/%C3%BCber/x") == "/über")
    }

    @Test func `a route with the host beats one without at any length`() throws {
        let patterns = ["/admin/site", "example.org/", "/"]
        #expect(try match(patterns, "/admin/site/x") == "example.org/")
        #expect(try match(patterns, host: "other.org", "/admin/site/x") == "/admin/site")
        #expect(try match(patterns, host: "", "/x") == "/")
    }

    @Test func `within a host the longest prefix wins`() throws {
        let patterns = ["example.org/", "example.org/a", "example.org/a/b"]
        #expect(try match(patterns, "/a/b/c") == "example.org/a/b")
        #expect(try match(patterns, "/a/c") == "example.org/a")
    }

    @Test(arguments: [
        "example.org", "EXAMPLE.org", "example.org:8080", "Example.Org.:80", "example.org.",
    ])
    func `case, port and trailing dot of the host do not count`(host: String) throws {
        #expect(try match(["example.org/"], host: host, "/") == "example.org/")
    }

    @Test(arguments: [
        "example.orgs", "an.example.org", "example.or", "", ":80", "example.org..", "[example.org]",
    ])
    func `another host does not match`(host: String) throws {
        #expect(try match(["example.org/"], host: host, "/") == nil)
    }

    @Test func `an address in brackets matches with and without port`() throws {
        for host in ["[::1]", "[::1]:8080"] {
            #expect(try match(["[::1]/"], host: host, "/") == "[::1]/")
        }
        #expect(try match(["[::1]/"], host: "[::1", "/") == nil)
    }

    @Test func `without a route for it a path leads nowhere`() throws {
        #expect(try match(["/admin"], "/") == nil)
        #expect(try match([], "/") == nil)
    }

    @Test func `the first of two equal routes is taken`() {
        let table = RouteTable([Route(prefix: "/", group: 3), Route(prefix: "/", group: 4)])
        let path = [UInt8(ascii: "/")]
        let host: [UInt8] = []
        let found = table.match(host: host.span, path: path.span)
        #expect(found == 0)
    }

    @Test(arguments: [
        ("/admin/x", 6), ("/admin", 6), ("//admin/x", 7), ("/%61dmin/x", 8), ("//%61dmin?x", 9),
        ("/admin%2Fx", 6), ("/x", 0),
    ])
    func `the length of a prefix is that of the path as it was sent`(path: String, length: Int) {
        let table = RouteTable([
            Route(prefix: "/", group: 0), Route(prefix: "/admin", group: 0),
        ])
        let bytes = Array(path.utf8)
        let found = [1, 0, 7].map { table.prefixLength(of: $0, in: bytes.span) }
        #expect(found == [length, 0, 0])
    }

    @Test(arguments: [
        "/admin;v=1/x", "/admin;v=1", "/admin;/x", "/admin%3bv=1/x", "/%61dmin;a;b?q", "/;x/admin",
        "/;/;a=b/admin;c", "/;%2fadmin", "/admin;a%2fb", "//;/admin",
    ])
    func `path parameters do not hide a path`(path: String) throws {
        #expect(try match(["/", "/admin"], path) == "/admin")
    }

    @Test(arguments: ["/x;/admin", "/administrator;/x", "/ad;min", "/?;/admin", "/x;admin"])
    func `path parameters are not compared`(path: String) throws {
        #expect(try match(["/", "/admin"], path) == "/")
    }

    @Test(arguments: [
        ("/admin;v=1/x", 10), ("/admin;v=1", 10), ("/admin;v=1?q", 10), ("/;a/admin%3Bb%2Fx", 13),
    ])
    func `the parameters of a prefix go with it`(path: String, length: Int) {
        let table = RouteTable([Route(prefix: "/admin", group: 0)])
        let bytes = Array(path.utf8)
        let found = table.prefixLength(of: 0, in: bytes.span)
        #expect(found == length)
    }
}
