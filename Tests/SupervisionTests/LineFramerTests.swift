internal import Testing

@testable internal import Supervision

@Suite struct LineFramerTests {
    private func lines(_ pieces: [String], limit: Int = 16, finish: Bool = true) -> [String] {
        var framer = LineFramer(limit: limit)
        var lines: [String] = []
        for piece in pieces { framer.feed(Array(piece.utf8).span) { lines.append($0) } }
        if finish { framer.finish { lines.append($0) } }
        return lines
    }

    @Test func `lines end at each newline, empty ones too`() {
        #expect(lines(["a\n\nb\n"]) == ["a", "", "b"])
    }

    @Test func `a line may come in pieces`() {
        #expect(lines(["he", "ll", "o\nwor", "ld\n"]) == ["hello", "world"])
    }

    @Test func `an unfinished line is held back until the end`() {
        #expect(lines(["a\nrest"], finish: false) == ["a"])
        #expect(lines(["a\nrest"]) == ["a", "rest"])
    }

    @Test func `a line of exactly the limit is whole`() {
        let line = String(repeating: "x", count: 16)
        #expect(lines([line + "\n"]) == [line])
        #expect(lines([line, "\n"]) == [line])
    }

    @Test func `a longer line is cut and marked, and its rest is dropped`() {
        let long = String(repeating: "x", count: 100)
        let cut = String(repeating: "x", count: 16) + " [cut: longer than 16 bytes]"
        #expect(lines([long + "\nnext\n"]) == [cut, "next"])
        #expect(lines([long, long, long + "\nnext\n"]) == [cut, "next"])
        #expect(lines(["xxxx", String(repeating: "x", count: 13) + "\nnext\n"]) == [cut, "next"])
    }

    @Test func `an endless line is handed out once, as it is cut`() {
        let long = String(repeating: "x", count: 100)
        #expect(lines([long, long], finish: false).count == 1)
        #expect(lines([long, long]).count == 1)
    }
}

@Suite struct PrintableTextTests {
    private func printable(_ bytes: [UInt8]) -> String { PrintableText.line(bytes.span) }
    private func printable(_ text: String) -> String { printable(Array(text.utf8)) }

    @Test func `text stays as it is, in any language`() {
        #expect(printable("plain\ttext") == "plain\ttext")
        #expect(printable("Käse 日本 🚢") == "Käse 日本 🚢")
    }

    @Test func `control characters cannot steer a terminal`() {
        #expect(printable("\u{1b}[31mred\u{7}") == "\\x1b[31mred\\x07")
        #expect(printable("a\u{7f}\u{9b}b") == "a\\x7f\\x9bb")
    }

    @Test func `a carriage return is dropped at the end only`() {
        #expect(printable("one\r") == "one")
        #expect(printable("one\rtwo") == "one\\x0dtwo")
    }

    @Test func `invisible line breaks and turns of direction are shown`() {
        #expect(printable("a\u{2028}b\u{202e}c") == "a\\u{2028}b\\u{202e}c")
    }

    @Test func `invalid UTF-8 becomes the replacement character`() {
        #expect(printable([0x61, 0xff, 0x62]) == "a\u{fffd}b")
    }
}
