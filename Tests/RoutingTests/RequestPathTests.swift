internal import Routing
internal import TestSupport
internal import Testing

private func form(_ path: String) -> RequestPath.Form {
    let bytes = Array(path.utf8)
    return RequestPath.form(of: bytes.span)
}

private func resolved(_ path: String) -> String {
    let bytes = Array(path.utf8)
    return String(decoding: RequestPath.resolved(bytes.span), as: UTF8.self)
}

@Suite struct RequestPathTests {
    @Test(arguments: [
        ("/.", "/"), ("/./", "/"), ("/a/.", "/a/"), ("/a/..", "/"), ("/a/./b", "/a/b"),
        ("/a/../b?x", "/b?x"), ("/a/..?x", "/?x"), ("/a/b/c/./../../g", "/a/g"),
        ("/mid/content=5/../6", "/mid/6"), ("/a/%2e%2E/b", "/b"), ("/a/.%2e", "/"),
        ("/%2e/a", "/a"), ("/a//../b", "/a/b"), ("//..//b", "//b"), ("/a/./?/../", "/a/?/../"),
        ("/x;a/../b;c/.", "/b;c/"), ("/a%2Fb/../c", "/c"), ("/a/./%61", "/a/%61"),
    ])
    func `dot segments are resolved in every spelling (RFC 3986 5.2.4)`(path: String, rest: String)
    {
        #expect(form(path) == .dotted)
        #expect(resolved(path) == rest)
        #expect(form(rest) == .plain)
    }

    @Test(arguments: [
        "/..", "/../x", "/a/../..", "/a/../../b", "/./..", "/%2e%2e/x", "/a/../../a/b",
    ])
    func `nothing leads above the root`(path: String) {
        #expect(form(path) == .climbing)
    }

    @Test(arguments: [
        "/..;", "/x/..;/admin", "/x/..;a=b/admin", "/.;/admin", "/x/%2e%2e;/admin",
        "/x/..%3b/admin",
        "/x/.%2E%3Bv/admin", "/x/%2e;", "/x%2f../admin", "/x/..%2fadmin", "/x%2F%2e%2e%2fadmin",
        "/x%2f.", "/x/.%2fy", "/x%2f..;/admin", "/a/..;?q", "/x;a=b%2f../c", "/x;%2f../y",
    ])
    func `dots that only some servers would resolve are seen`(path: String) {
        #expect(form(path) == .hidden)
    }

    @Test(arguments: ["/\\", "/x\\admin", "/x%5cadmin", "/%5C..%5cadmin", "/..%5c", "/a;b\\c"])
    func `a backslash is seen, encoded or not`(path: String) {
        #expect(form(path) == .backslash)
    }

    @Test(arguments: [
        "/", "", "*", "?q=..", "/a.b", "/...", "/.well-known", "/a..", "/..a", "/?..", "/?/../",
        "/%252e%252e/", "/.%", "/a/.x/", "/%2e%2", "/a?b=C:\\Temp", "/a;..", "/...;/x", "/a;v=1/b",
        "/a%3fb", "/a%2fb",
    ])
    func `all else goes on as it came`(path: String) {
        #expect(form(path) == .plain)
    }

    @Test func `resolving equals the model`() {
        var generator = SeededGenerator(seed: 3)
        let pieces = ["/", "/", ".", "..", "a", "%2e", "%2E", "b", "%41", "?"]
        var dotted = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...9, using: &generator)
            let path =
                "/"
                + (0..<count).map { _ in
                    pieces[Int.random(in: 0..<pieces.count, using: &generator)]
                }.joined()
            let expected = model(path)
            switch form(path) {
            case .plain: #expect(expected == path)
            case .climbing: #expect(expected == nil, "\(path)")
            case .dotted:
                dotted += 1
                #expect(resolved(path) == expected, "\(path)")
            case .hidden, .backslash: Issue.record("\(path) hides nothing")
            }
        }
        #expect(dotted > 2000)
    }

    /// The algorithm of RFC 3986 by whole segments; nil: it climbs above the root.
    private func model(_ path: String) -> String? {
        let end = path.firstIndex(of: "?") ?? path.endIndex
        var out: [Substring] = []
        var segments = path[..<end].split(separator: "/", omittingEmptySubsequences: false)
            .dropFirst()
        while let segment = segments.popFirst() {
            let dots = segment.lowercased().replacing("%2e", with: ".")
            if dots == ".." {
                if out.popLast() == nil { return nil }
            } else if dots != "." {
                out.append(segment)
                continue
            }
            if segments.isEmpty { out.append("") }
        }
        return "/" + out.joined(separator: "/") + path[end...]
    }
}
