internal import Routing
internal import Testing

@Suite struct RoutePatternTests {
    @Test(arguments: [
        ("/", "", "/"), ("/admin", "", "/admin"), ("/admin/", "", "/admin"),
        ("/a/b/", "", "/a/b"), ("Example.ORG/", "example.org", "/"),
        ("example.org./App", "example.org", "/App"), ("[::1]/x", "[::1]", "/x"),
        ("10.0.0.1/", "10.0.0.1", "/"), ("/a b/ü", "", "/a b/ü"),
    ])
    func `host and path are read`(text: String, host: String, prefix: String) throws {
        #expect(try RouteTable.parse(text) == RoutePattern(host: host, prefix: prefix))
    }

    @Test(arguments: [
        ("", "has no path"), ("example.org", "has no path"), ("http://example.org/", "scheme"),
        ("example.org:80/", "has a port"), ("*.example.org/", "has a wildcard"),
        ("bücher.de/", "xn--"), ("a b/", "no name"), ("./x", "no name"), ("[::1/", "brackets"),
        ("[::1]:80/", "brackets"), ("[]/", "brackets"), ("/a%20b", "has a %"),
        ("/a?b", "has a query"), ("/a#b", "has a query"), ("/a/*", "has a *"),
        ("/a\nb", "control character"), ("/a/../b", "segment"), ("/./", "segment"),
        ("/a;v=1/b", "has a ;"), ("/a\\b", "has a backslash"), ("/a//b", "empty segment"),
        ("/../\u{301}x", "segment"), ("//", "empty segment"),
        ("/" + String(repeating: "a", count: 2048), "longer than"),
    ])
    func `a wrong pattern is refused with the reason`(text: String, reason: String) {
        do throws(RoutePatternError) {
            _ = try RouteTable.parse(text)
            Issue.record("\(text) is not refused")
        } catch {
            #expect(error.description.contains(reason), "\(error)")
        }
    }
}
