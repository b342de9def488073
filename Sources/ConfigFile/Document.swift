internal import TOMLKit

/// Parses TOML into nodes that carry line numbers.
enum Document {
    /// The longest configuration in bytes.
    static let maximumLength = 1024 * 1024
    private static let maximumDepth = 16

    /// The top table; nil if the text is not TOML, with the reason in `problems`.
    static func parse(_ text: String, _ problems: ProblemList) -> ConfigNode? {
        guard text.utf8.count <= maximumLength else {
            problems.add(
                line: 1, key: "file", "is longer than 1 MiB", "is it a configuration at all?")
            return nil
        }
        if let (line, column) = placeOfNull(in: text) {
            problems.add(
                line: line, column: column, key: "syntax", "holds a zero byte or its escape",
                "take it out")
            return nil
        }
        let index = LineIndex(text)
        if let obstacle = index.obstacle {
            // The text before the obstacle may be invalid too; then its mistake comes first.
            let before = String(decoding: text.utf8.prefix(obstacle.statement), as: UTF8.self)
            if parseTable(before, problems) != nil {
                problems.add(
                    line: obstacle.line, column: obstacle.column, key: "syntax", obstacle.wrong,
                    obstacle.right)
            }
            return nil
        }
        return parseTable(text, problems).map { table in
            NodeBuilder(index: index, problems: problems).table(table, at: [], path: [], line: 1)
        }
    }

    private static func parseTable(_ text: String, _ problems: ProblemList) -> TOMLTable? {
        do {
            return try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            problems.add(
                line: max(1, error.source.begin.line),
                column: max(1, error.source.begin.column), key: "syntax",
                sentence(error.description),
                "write key = value, a text in double quotes, a table as [name]")
        } catch {
            problems.add(
                line: 1, column: 1, key: "syntax", "cannot be read as TOML", "see https://toml.io")
        }
        return nil
    }

    /// The parser's strings end at a zero byte, so it would ignore everything after it.
    private static func placeOfNull(in text: String) -> (line: Int, column: Int)? {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard let null = line.firstIndex(of: 0) ?? nullEscape(in: line) else { continue }
            return (index + 1, LineIndex.column(after: line[..<null]))
        }
        return nil
    }

    private static func nullEscape(in line: String.UTF8View.SubSequence) -> String.Index? {
        guard line.contains(UInt8(ascii: "\\")) else { return nil }
        let text = Substring(line)
        let places = ["\\u0000", "\\U00000000"].compactMap { text.firstRange(of: $0)?.lowerBound }
        return places.min()
    }

    /// The parser's message on one line, without control characters, truncated.
    private static func sentence(_ message: String) -> String {
        let start = message.unicodeScalars.prefix(300).map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(start)
    }

    /// Turns the parser's tables into nodes.
    private struct NodeBuilder {
        let index: LineIndex
        let problems: ProblemList

        func table(
            _ table: TOMLTable, at place: [LineIndex.Step], path: [String], line: Int
        ) -> ConfigNode {
            var entries: [ConfigNode.Entry] = []
            for name in table.keys {
                guard let value = table[name] else { continue }
                entries.append(
                    ConfigNode.Entry(
                        name: name,
                        node: node(
                            value, at: place + [.key(name)], path: path + [name], above: line)))
            }
            // The parser returns names in alphabetical order; messages and output follow the file's
            // order.
            entries.sort { ($0.node.line, $0.name) < ($1.node.line, $1.name) }
            return ConfigNode(value: .table(entries), line: line, path: path)
        }

        private func node(
            _ value: any TOMLValueConvertible, at place: [LineIndex.Step], path: [String],
            above: Int
        ) -> ConfigNode {
            let line = index[place] ?? above
            var node = ConfigNode(value: .date, line: line, path: path)
            guard place.count <= maximumDepth else {
                problems.add(node, "is nested too deep", "nothing in a configuration needs that")
                return node
            }
            switch value.type {
            case .string: node.value = .text(value.string ?? "")
            case .int: node.value = .integer(value.int ?? 0)
            case .double: node.value = .fraction
            case .bool: node.value = .boolean(value.bool ?? false)
            case .date, .time, .dateTime: node.value = .date
            case .table:
                guard let table = value.table else { break }
                return self.table(table, at: place, path: path, line: line)
            case .array:
                guard let array = value.array else { break }
                node.value = .list(
                    (0..<array.count).map { item in
                        self.node(
                            array[item], at: place + [.item(item)], path: path, above: line)
                    })
            }
            return node
        }
    }
}
