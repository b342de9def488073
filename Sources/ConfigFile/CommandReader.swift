/// Reads `command` and checks the placeholders in its program and arguments.
enum CommandReader {
    private static let placeholders = ["socket", "port", "threads", "group", "process"]

    static func read(_ table: TableReader) -> [String]? {
        let example = "./app"
        guard let node = table.take("command") else { return nil }
        guard case .list(let items) = node.value, !items.isEmpty else {
            let kind = if case .list = node.value { "empty" } else { node.kind }
            table.problems.add(
                node, "is \(kind)",
                "needs program and arguments, like [\"./app\", \"--uds\", \"{socket}\"]")
            return nil
        }
        guard table.text(items[0], example: example) != nil else { return nil }
        var words: [String] = []
        for item in items {
            guard case .text(let word) = item.value else {
                table.problems.add(item, "holds \(item.kind)", "needs texts, in quotes")
                continue
            }
            check(word, item, table.problems)
            if word.utf8.count > EnvironmentReader.longestString {
                table.problems.add(
                    item, "has an argument of \(word.utf8.count) bytes",
                    "the system hands over \(EnvironmentReader.longestString) at most; put it into a"
                        + " file")
            }
            words.append(word)
        }
        let hasSocket = words.contains { $0.contains("{socket}") }
        if hasSocket, words.contains(where: { $0.contains("{port}") }) {
            table.problems.add(
                node, "has both {socket} and {port}", "a process has one address; take one out")
        }
        return words
    }

    /// Words in braces must be placeholders; other braces, as in JSON, are passed on unchanged.
    private static func check(_ word: String, _ node: ConfigNode, _ problems: ProblemList) {
        for part in word.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
            guard let end = part.firstIndex(of: "}") else { continue }
            let name = String(part[..<end])
            let isWord = !name.isEmpty && name.utf8.allSatisfy(TOMLText.isBareKeyByte)
            guard isWord, !placeholders.contains(name) else { continue }
            let all = placeholders.map { "{\($0)}" }.joined(separator: " ")
            let meant = Suggestion.nearest(to: name, among: placeholders)
            problems.add(
                node, "holds {\(name)}, which is no placeholder",
                meant.map { "did you mean {\($0)}?" } ?? "there are \(all)")
        }
    }
}
