internal import Routing
internal import Testing

@Suite struct FilePathTests {
    private static func read(_ path: String, after length: Int) -> String {
        let bytes = Array(path.utf8)
        var name: [UInt8] = Array("left from before".utf8)
        let target = FilePath.read(bytes.span, after: length, into: &name)
        switch target {
        case .file: return String(decoding: name, as: UTF8.self)
        case .index: return String(decoding: name, as: UTF8.self) + "/"
        case .none: return "none"
        case .zeroByte: return "zero"
        }
    }

    @Test(arguments: [
        ("/s/a.css", "a.css"), ("/s/a/b/c", "a/b/c"), ("/s/a%20b.txt?x=/y", "a b.txt"),
        ("/s//a///b", "a/b"), ("/s/", "/"), ("/s", ""), ("/s?q", ""), ("/s/a/", "a/"),
        ("/s/a//?q", "a/"), ("/s/%61", "a"), ("/s/100%", "100%"), ("/s/a;v=1", "a;v=1"),
        ("/s/%C3%A9", "é"), ("/s/a%3Fb", "a?b"), ("/s/a.b.c", "a.b.c"), ("/s/a#f", "a"),
    ])
    func `a path names a file below the folder, decoded once`(path: String, name: String) {
        #expect(Self.read(path, after: 2) == name)
    }

    @Test func `what is decoded is not decoded again`() {
        #expect(Self.read("/s/%2561", after: 2) == "%61")
        #expect(Self.read("/s/%252e%252e/x", after: 2) == "%2e%2e/x")
        #expect(Self.read("/s/%252fetc", after: 2) == "%2fetc")
    }

    @Test(arguments: [
        "/s/..", "/s/../x", "/s/a/..", "/s/%2e%2e/x", "/s/.%2e/x", "/s/.", "/s/a/./b",
        "/s/.git/config",
        "/s/.htpasswd", "/s/a/.b/c", "/s/%2ehidden", "/s/...", "/s/a%2fb", "/s/%2Fetc/passwd",
        "/s%2fx",
    ])
    func `dots in front, encoded slashes and steps upwards lead to nothing`(path: String) {
        #expect(Self.read(path, after: 2) == "none")
    }

    @Test func `a zero byte is refused`() { #expect(Self.read("/s/a%00.png", after: 2) == "zero") }

    @Test func `the route's own path may have a dot, and the root takes nothing off`() {
        let route = "/.well-known/acme-challenge"
        #expect(Self.read(route + "/token", after: route.utf8.count) == "token")
        #expect(Self.read("/a/b", after: 0) == "a/b")
        #expect(Self.read("/", after: 0) == "/")
        #expect(Self.read("/.well-known/x", after: 0) == "none")
    }

    @Test func `a name that is longer than any file's leads to nothing`() {
        let longest = String(repeating: "a/", count: 2000) + "b"
        #expect(Self.read("/s/" + longest, after: 2) == longest)
        #expect(Self.read("/s/" + longest + String(repeating: "b", count: 200), after: 2) == "none")
    }
}
