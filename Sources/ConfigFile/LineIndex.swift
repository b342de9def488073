/// The line of every key and list item of a TOML document; the parser does not tell them.
struct LineIndex {
    enum Step: Hashable {
        case key(String)
        case item(Int)
    }

    /// Deeper keys are not told apart; nothing in a configuration is nested so deep.
    static let maximumDepth = 40

    /// What the parser takes for granted, and ends the program when it is not so.
    struct Obstacle {
        /// Where the statement begins that holds it: bytes before.
        var statement: Int
        var line: Int
        var column: Int
        var wrong: String
        var right: String
    }

    private let lines: [[Step]: Int]
    /// The first one; such a text must not be given to the parser.
    let obstacle: Obstacle?

    /// Reads any text to its end; what the parser refuses has lines that mean little.
    init(_ text: String) {
        var scanner = LineScanner(text)
        lines = scanner.scan()
        obstacle = scanner.obstacle
    }

    /// The column, from 1, behind the bytes of a line; one for each character.
    static func column(after bytes: some Sequence<UInt8>) -> Int {
        1 + bytes.count { $0 & 0xC0 != 0x80 }
    }

    /// From 1; nil for what is not there.
    subscript(path: [Step]) -> Int? { lines[path] }
}
