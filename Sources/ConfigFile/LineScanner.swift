/// Walks over a document once: headers, keys and values, without interpreting them.
///
/// Every line is right for a document that the parser accepts. Any other document is read to its
/// end without harm, and its lines are right up to the first mistake, so that an obstacle there is
/// found.
struct LineScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    /// Where the current line begins.
    private var lineStart = 0
    private var lines: [[LineIndex.Step]: Int] = [:]
    private(set) var obstacle: LineIndex.Obstacle?
    /// Where the current statement begins.
    private var statement = 0
    /// The number of items so far of each array of tables.
    private var tables: [[LineIndex.Step]: Int] = [:]
    /// The table of the last header.
    private var current: [LineIndex.Step] = []

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func scan() -> [[LineIndex.Step]: Int] {
        skipBlank()
        while let byte = peek {
            statement = position
            if byte == UInt8(ascii: "[") { header() } else { keyValue(in: current) }
            skipBlank()
        }
        return lines
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Consumes one byte; the only place that counts lines.
    private mutating func advance() {
        let endsLine = peek == UInt8(ascii: "\n")
        position += 1
        guard endsLine else { return }
        line += 1
        lineStart = position
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        advance()
        return true
    }

    private mutating func skipSpaces() {
        while let byte = peek, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
    }

    private mutating func skipLine() {
        while let byte = peek, byte != UInt8(ascii: "\n") { advance() }
    }

    /// Skips spaces, line ends and comments.
    private mutating func skipBlank() {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                advance()
            case UInt8(ascii: "#"): skipLine()
            default: return
            }
        }
    }

    private mutating func note(_ path: [LineIndex.Step]) {
        if path.count <= LineIndex.maximumDepth, lines[path] == nil { lines[path] = line }
    }

    /// `[a.b]` or `[[a.b]]`; a name that is an array of tables means its last item.
    private mutating func header() {
        advance()
        skipSpaces()
        let isItem = take(UInt8(ascii: "["))
        skipSpaces()
        if let byte = peek, !beginsKey(byte) {
            hinder("has a table header without a name", "write [name]")
        }
        var path: [LineIndex.Step] = []
        let keys = keyPath()
        for (index, key) in keys.enumerated() {
            path.append(.key(key))
            let isLast = index == keys.count - 1
            if isLast && !isItem {
                // The header's own line, even if a deeper one came before it.
                lines[path] = line
            } else if isLast {
                note(path)
                let count = tables[path] ?? 0
                tables[path] = count + 1
                path.append(.item(count))
                note(path)
            } else {
                note(path)
                if let count = tables[path] { path.append(.item(count - 1)) }
            }
        }
        current = path
        skipLine()
    }

    private func beginsKey(_ byte: UInt8) -> Bool {
        TOMLText.isBareKeyByte(byte) || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    private mutating func keyValue(in table: [LineIndex.Step]) {
        let start = position
        var path = table
        for key in keyPath() {
            path.append(.key(key))
            note(path)
        }
        if take(UInt8(ascii: "=")) { value(at: path) }
        if position == start { advance() }
    }

    /// Reads the names of a dotted key and the spaces around them.
    private mutating func keyPath() -> [String] {
        var keys: [String] = []
        repeat {
            skipSpaces()
            let key = self.key()
            if keys.count < LineIndex.maximumDepth { keys.append(key) }
            skipSpaces()
        } while take(UInt8(ascii: "."))
        return keys
    }

    private mutating func key() -> String {
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return string()
        default:
            let start = position
            while let byte = peek, TOMLText.isBareKeyByte(byte) { advance() }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
    }

    private mutating func value(at path: [LineIndex.Step]) {
        skipSpaces()
        guard let byte = peek else { return }
        guard path.count < LineIndex.maximumDepth else {
            hinder("is nested too deep", "nothing in a configuration needs that")
            return skipScalar()
        }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = string()
        case UInt8(ascii: "["): list(at: path)
        case UInt8(ascii: "{"): inlineTable(at: path)
        case UInt8(ascii: "+"), UInt8(ascii: "."),
            _ where TOMLText.isBareKeyByte(byte):
            let start = position
            skipScalar()
            if bytes[start..<position].contains(UInt8(ascii: ":")) {
                hinder("holds a time of day or a text without quotes", "write texts in quotes")
            }
        default:
            hinder(
                "has no value where one is due", "write a text in quotes, a number, true or false")
            skipScalar()
        }
    }

    /// Records the first obstacle.
    private mutating func hinder(_ wrong: String, _ right: String) {
        guard obstacle == nil else { return }
        obstacle = LineIndex.Obstacle(
            statement: statement, line: line,
            column: LineIndex.column(after: bytes[lineStart..<position]), wrong: wrong,
            right: right)
    }

    private mutating func list(at path: [LineIndex.Step]) {
        advance()
        var index = 0
        skipBlank()
        while peek != nil, !take(UInt8(ascii: "]")) {
            let item = path + [.item(index)]
            note(item)
            let start = position
            value(at: item)
            skipBlank()
            if !take(UInt8(ascii: ",")), position == start { advance() }
            skipBlank()
            index += 1
        }
    }

    private mutating func inlineTable(at path: [LineIndex.Step]) {
        advance()
        skipBlank()
        while peek != nil, !take(UInt8(ascii: "}")) {
            keyValue(in: path)
            skipBlank()
            _ = take(UInt8(ascii: ","))
            skipBlank()
        }
    }

    /// Skips a number, date or boolean, up to the byte that ends the value.
    private mutating func skipScalar() {
        let ends = Array(",]}#\n".utf8)
        while let byte = peek, !ends.contains(byte) { advance() }
    }

    /// Reads a string in any of the four forms; decodes the escapes that keys need.
    private mutating func string() -> String {
        let quote = bytes[position]
        let isLong = bytes[position...].starts(with: [quote, quote, quote])
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        var content: [UInt8] = []
        while let byte = peek {
            if byte == quote, !isLong || bytes[position...].starts(with: [quote, quote, quote]) {
                break
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                content += escape()
            } else {
                content.append(byte)
                advance()
            }
        }
        // A long string may end with up to two quotes of its own before the closing three.
        for _ in 0..<(isLong ? 5 : 1) where peek == quote { advance() }
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func escape() -> [UInt8] {
        advance()
        guard let byte = peek else { return [] }
        advance()
        switch byte {
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "u"): return scalar(digits: 4)
        case UInt8(ascii: "U"): return scalar(digits: 8)
        default: return [byte]
        }
    }

    private mutating func scalar(digits: Int) -> [UInt8] {
        let end = min(position + digits, bytes.count)
        let text = String(decoding: bytes[position..<end], as: UTF8.self)
        while position < end { advance() }
        guard let value = UInt32(text, radix: 16), let scalar = Unicode.Scalar(value) else {
            return []
        }
        return Array(String(scalar).utf8)
    }
}
