internal import ConfigFile
internal import Testing

/// Hostile files: an answer in short time, never a trap.
@Suite(.timeLimit(.minutes(1))) struct HostileTests {
    @Test(arguments: [
        "a = " + String(repeating: "[", count: 100_000),
        "a = " + String(repeating: "{ a = ", count: 10_000),
        "a = " + String(repeating: "[", count: 200) + String(repeating: "]", count: 200),
        String(repeating: "a.", count: 2000) + "a = 1",
        "[" + String(repeating: "a.", count: 2000) + "a]",
        String(repeating: "[[a]]\n", count: 5000),
        String(repeating: "\"", count: 100_000),
        "a = \"" + String(repeating: "x", count: 500_000) + "\"",
        String(repeating: "#", count: 2_000_000),
        "a = 99999999999999999999999999999999",
        "a = 0x8000000000000000",
        "a = 1e999999",
        "\u{0}",
        "[group.a]\nwsgi = \"a\u{0}\"",
        "\"\\U00000000\" = 1",
        "\"\\u0000\" = { \"\\u0000\" = 1 }",
        "\u{FEFF}a = 1",
        "a = \"\\uD800\"", "[.", "[=", "[[.]]", "[#", "[\n", "[\u{e9}]", "[[ =", "a = 1\n[ .a]",
    ])
    func `a hostile file is refused`(text: String) {
        #expect(!problems(text).isEmpty)
    }

    @Test func `two thousand unknown keys are all reported`() {
        let text = (0..<2000).map { "key\($0) = 1\n" }.joined() + someGroup
        #expect(problems(text).count == 2000)
    }

    @Test func `a thousand groups and routes are read`() throws {
        let groups = (0..<1000).map { "[group.g\($0)]\nwsgi = \"a\"\n" }.joined()
        let routes = (0..<1000).map { "\"/\($0)\" = \"g\($0)\"\n" }.joined()
        #expect(try read(groups + "[routes]\n" + routes).routes.count == 1000)
    }
}
