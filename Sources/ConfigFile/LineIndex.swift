/// The line of every key and list item of a TOML document, which the parser does not report.
struct LineIndex {
    enum Step: Hashable {
        case key(String)
        case item(Int)
    }

    /// Deeper keys share one entry; no valid configuration nests this deep.
    static let maximumDepth = 40

    /// Input that would make the parser trap, because it does not check for it.
    struct Obstacle {
        /// The byte offset of the statement that contains it.
        var statement: Int
        var line: Int
        var column: Int
        var wrong: String
        var right: String
    }

    private let lines: [[Step]: Int]
    /// The first one; a text with an obstacle must not be passed to the parser.
    let obstacle: Obstacle?

    /// Reads any text to its end; for text that the parser rejects, the lines are approximate.
    init(_ text: String) {
        var scanner = LineScanner(text)
        lines = scanner.scan()
        obstacle = scanner.obstacle
    }

    /// The column, from 1, after the given bytes of a line; counts characters, not bytes.
    static func column(after bytes: some Sequence<UInt8>) -> Int {
        1 + bytes.count { $0 & 0xC0 != 0x80 }
    }

    /// Counted from 1; nil for a path that does not exist.
    subscript(path: [Step]) -> Int? { lines[path] }
}
