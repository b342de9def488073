internal import Settings
internal import TestSupport
internal import Testing

@testable internal import ConfigFile

@Suite struct LineTests {
    func line(_ text: String, _ path: LineIndex.Step...) -> Int? { LineIndex(text)[path] }

    @Test func `tables, dotted keys, inline tables and lists have their lines`() {
        let text = """
            top = 1 # = [x]
            a.b."c d" = "}"

            [t.u]
            x = { y = 1, "z" = [ 1,
              2, # ]
              { k = "=" } ] }
            'q''' = 3
            [[l]]
            n = 1
            [[l]]

            n = \"\"\"
            [no]
            \"\"\"
            m = 2
            [l.sub]
            s = 1
            """
        #expect(line(text, .key("top")) == 1)
        #expect(line(text, .key("a"), .key("b"), .key("c d")) == 2)
        #expect(line(text, .key("a"), .key("b")) == 2)
        #expect(line(text, .key("t"), .key("u")) == 4)
        #expect(line(text, .key("t"), .key("u"), .key("x"), .key("y")) == 5)
        #expect(line(text, .key("t"), .key("u"), .key("x"), .key("z"), .item(1)) == 6)
        #expect(line(text, .key("t"), .key("u"), .key("x"), .key("z"), .item(2), .key("k")) == 7)
        #expect(line(text, .key("l"), .item(0), .key("n")) == 10)
        #expect(line(text, .key("l"), .item(1)) == 11)
        #expect(line(text, .key("l"), .item(1), .key("n")) == 13)
        #expect(line(text, .key("l"), .item(1), .key("m")) == 16)
        #expect(line(text, .key("l"), .item(1), .key("sub"), .key("s")) == 18)
        #expect(line(text, .key("no")) == nil)
    }

    @Test(arguments: [
        "a = \"\"\"x\"\"\"\"\"\nb = 1", "a = '''x\n'''''\nb = 1", "a = \"\\\"\\\\\"\n\nb = 1",
        "a = \"\"\"\\\"\"\"\"\n\nb = 1", "a = ''\r\n\r\nb = 1",
        "a = 1979-05-27 07:32:00 # b = 2\nb = 1",
        "a = \"\"\"\n\nx\"\"\" # \"\"\"\nb = 1",
    ])
    func `whatever a value looks like, the next key is found`(text: String) {
        let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false)
        let expected = lines.lastIndex { $0.first == UInt8(ascii: "b") }.map { $0 + 1 }
        #expect(line(text, .key("b")) == expected)
    }

    @Test func `escapes in keys are resolved`() {
        #expect(line("\n\"\\u0061\\U00000062\\t\" = 1", .key("ab\t")) == 2)
    }

    @Test func `a header after its subtable is where the table is`() {
        #expect(line("[a.b]\nx = 1\n[a]\ny = 1", .key("a")) == 3)
    }

    @Test func `a problem in a multi-line list has the item's line`() {
        let text = """
            [group.a]
            servers = [
                "127.0.0.1:80",
                "nowhere",
                { address = "127.0.0.1:81", weight = 0 },
            ]
            """
        let found = problems(text)
        #expect(found.map { $0.split(separator: ":")[1] } == ["4", "5"], "\(found)")
    }

    @Test func `any text is read to its end without harm`() {
        let pieces = [
            "[", "]", "{", "}", "=", ".", "\"", "'", "\"\"\"", "'''", "\\", "\\u00", "#", "\n", ",",
            "a", "é", " ", "[[", "]]", "\r\n",
        ]
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }.joined()
            _ = LineIndex(text)
            _ = problems(text)
        }
    }
}
