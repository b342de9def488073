internal import Routing
internal import Testing

@Suite struct ScriptPathTests {
    private static let files: Set<String> = [
        "/index.php", "/a/index.php", "/a/b.php", "/upload.jpg", "/x.php/in.php", "/.php",
        "/a b.php", "/with.php.txt",
    ]
    private static let folders: Set<String> = ["/", "/a", "/x.php", "/empty"]

    private static func look(_ path: Span<UInt8>) -> ScriptPath.FileKind {
        var bytes: [UInt8] = []
        for index in 0..<path.count { bytes.append(path[index]) }
        let text = String(decoding: bytes, as: UTF8.self)
        return files.contains(text) ? .file : folders.contains(text) ? .folder : .none
    }

    /// The script's name and what is left of the path; or what else it leads to.
    private static func target(_ path: String, index: String = "index.php") -> String {
        let bytes = Array(path.utf8)
        guard let script = ScriptPath(bytes.span) else { return "bad" }
        let name = Array(index.utf8)
        switch script.target(index: name.span, look: look) {
        case .script(let length, let addsIndex):
            let front = String(decoding: script.path[..<length], as: UTF8.self)
            let rest = String(decoding: script.path[length...], as: UTF8.self)
            return front + (addsIndex ? index : "") + "|" + rest
        case .folder: return "folder"
        case .missing: return "missing"
        }
    }

    static let targets = [
        ("/index.php", "/index.php|"), ("/index.php?a=/b.php", "/index.php|"),
        ("/index.php/a/b", "/index.php|/a/b"), ("/index.php/", "/index.php|/"),
        ("/", "/index.php|"), ("/?x", "/index.php|"), ("", "/index.php|"),
        ("/a/", "/a/index.php|"), ("/a", "folder"), ("//a//b.php//c", "/a/b.php|/c"),
        ("/a%2Fb.php", "/a/b.php|"), ("/%61/b%2ephp/c%20d", "/a/b.php|/c d"),
        ("/a%20b.php", "/a b.php|"),
        // A script is the first part of the path that is a file, though a folder may have such a name.
        ("/x.php/in.php/rest", "/x.php/in.php|/rest"),
        ("/index.php/a/b.php", "/index.php|/a/b.php"),
        // Nothing else is run, and nothing that is not there.
        ("/upload.jpg/a.php", "missing"), ("/upload.jpg", "missing"), ("/no.php", "missing"),
        ("/no.php/index.php", "missing"), ("/empty/", "missing"), ("/empty", "missing"),
        ("/.php", "missing"), ("/with.php.txt", "missing"), ("/index.PHP", "missing"),
        ("/a/../index.php", "missing"), ("/./index.php", "missing"), ("/index.php%00.jpg", "bad"),
        ("/%00", "bad"),
    ]

    @Test(arguments: targets)
    func `a path is split at the script that is there`(_ path: String, _ expected: String) {
        #expect(Self.target(path) == expected)
    }

    @Test func `a path with many scripts that are not there is looked at once`() throws {
        let path = Array(String(repeating: "/a.php", count: 500).utf8)
        guard let script = ScriptPath(path.span) else { throw NoPath() }
        var looks = 0
        let name = Array("index.php".utf8)
        let target = script.target(index: name.span) { _ in
            looks += 1
            return .none
        }
        #expect(target == .missing && looks == 1)
    }

    @Test func `a path longer than any file's is not looked at`() throws {
        let path = Array(String(repeating: "/a.php", count: 1000).utf8)
        guard let script = ScriptPath(path.span) else { throw NoPath() }
        let name = Array("index.php".utf8)
        let target = script.target(index: name.span) { _ in
            Issue.record("it is looked at")
            return .file
        }
        #expect(target == .missing)
    }

    @Test func `scripts are what ends like the index`() {
        #expect(Self.target("/upload.jpg", index: "start.jpg") == "/upload.jpg|")
        #expect(Self.target("/index.php", index: "start.jpg") == "missing")
    }
}

private struct NoPath: Error {}
