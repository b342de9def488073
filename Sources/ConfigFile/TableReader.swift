internal import Backends

/// A value with its position in the file.
struct Located<Value> {
    var value: Value
    var node: ConfigNode
}

/// Reads the keys of one table; keys that were never taken are reported as unknown.
///
/// Every method returns nil both for a missing key and for an invalid one. An invalid one is
/// recorded and reading continues, so that all problems are reported together.
final class TableReader {
    let node: ConfigNode
    let problems: ProblemList
    private let entries: [ConfigNode.Entry]
    private var known: [String] = []
    private var missing: [Missing] = []

    /// A missing key to report; dropped if the key is present under a misspelt name.
    private struct Missing {
        var keys: [String]
        var line: Int
        var key: String
        var wrong: String
        var right: String
    }

    /// A table; nil if the node is something else, which is recorded.
    init?(_ node: ConfigNode, _ problems: ProblemList) {
        guard case .table(let entries) = node.value else {
            problems.add(node, "is \(node.kind)", "a table is needed here")
            return nil
        }
        self.node = node
        self.problems = problems
        self.entries = entries
    }

    /// The table's own name.
    var name: String { node.path.last ?? "" }

    /// The names in the table, in file order.
    var names: [String] { entries.map(\.name) }

    /// The value of a key, without marking it as known.
    func peek(_ key: String) -> ConfigNode? { entries.first { $0.name == key }?.node }

    /// The value of a key, which marks it as known.
    func take(_ key: String) -> ConfigNode? {
        known.append(key)
        return entries.first { $0.name == key }?.node
    }

    /// Records a problem of the table as a whole.
    func report(_ wrong: String, _ right: String) { problems.add(node, wrong, right) }

    /// Records a problem of a key that may be missing.
    func report(at key: String, _ wrong: String, _ right: String) {
        let line = entries.first { $0.name == key }?.node.line ?? node.line
        let path = node.path + [key]
        problems.add(line: line, key: path.map(TOMLText.key).joined(separator: "."), wrong, right)
    }

    /// Records that keys are missing, at the table or at one of its keys.
    ///
    /// `finish` reports it, unless one of them is present under a misspelt name: one mistake should
    /// be one problem.
    func reportMissing(
        _ keys: [String], at key: String? = nil, _ wrong: String, _ right: String
    ) {
        let path = node.path + (key.map { [$0] } ?? [])
        let line = entries.first { $0.name == key }?.node.line ?? node.line
        missing.append(
            Missing(
                keys: keys, line: line, key: path.map(TOMLText.key).joined(separator: "."),
                wrong: wrong, right: right))
    }

    /// Records a key that exists elsewhere but does not apply here.
    func refuse(_ key: String, _ wrong: String, _ right: String) {
        if let node = take(key) { problems.add(node, wrong, right) }
    }

    /// Reports every key that was not taken, with the known key it probably means, and missing
    /// keys.
    func finish() {
        var misspelt: Set<String> = []
        let free = Set(known).subtracting(names).sorted()
        for entry in entries where !known.contains(entry.name) {
            let meant =
                Suggestion.abbreviated(by: entry.name, among: free)
                ?? Suggestion.nearest(to: entry.name, among: free)
                ?? Suggestion.nearest(to: entry.name, among: known)
                ?? Suggestion.extended(by: entry.name, among: free)
            if node.path.isEmpty, GroupReader.keysOfGroups.contains(entry.name) {
                problems.add(
                    entry.node, "stands outside of a group", "move it below its [group.NAME]")
                continue
            }
            guard let meant else {
                let all = Set(known).sorted().joined(separator: ", ")
                problems.add(entry.node, "unknown key", "known here: \(all)")
                continue
            }
            misspelt.insert(meant)
            let path = node.path + [meant]
            problems.add(
                line: entry.node.line, key: entry.node.key,
                meant: path.map(TOMLText.key).joined(separator: "."), "unknown key",
                "did you mean \(TOMLText.key(meant))?")
        }
        for complaint in missing where misspelt.isDisjoint(with: complaint.keys) {
            problems.add(
                line: complaint.line, key: complaint.key, complaint.wrong, complaint.right)
        }
        missing = []
    }
}

/// Plain values.
extension TableReader {
    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        take(key).flatMap { integer($0, in: range) }
    }

    /// The value of a node that was taken already.
    func integer(_ node: ConfigNode, in range: ClosedRange<Int>) -> Int? {
        let right = "needs a number from \(range.lowerBound) to \(range.upperBound)"
        guard case .integer(let number) = node.value, range.contains(number) else {
            problems.add(node, "is \(node.kind)", right)
            return nil
        }
        return number
    }

    func boolean(_ key: String) -> Bool? {
        guard let node = take(key) else { return nil }
        guard case .boolean(let flag) = node.value else {
            problems.add(node, "is \(node.kind)", "needs true or false, without quotes")
            return nil
        }
        return flag
    }

    /// A non-empty text.
    func text(_ key: String, example: String) -> Located<String>? {
        take(key).flatMap { text($0, example: example) }
    }

    /// A node that was taken already.
    func text(_ node: ConfigNode, example: String) -> Located<String>? {
        guard case .text(let text) = node.value, !text.isEmpty else {
            let kind = if case .text = node.value { "empty" } else { node.kind }
            problems.add(node, "is \(kind)", "needs a text like \(TOMLText.quoted(example))")
            return nil
        }
        return Located(value: text, node: node)
    }

    /// Like `text`, but an empty text counts as missing.
    func optionalText(_ key: String, example: String) -> Located<String>? {
        guard let node = take(key) else { return nil }
        if case .text("") = node.value { return nil }
        return text(node, example: example)
    }

    /// The name or number of a user or group; an empty text counts as missing.
    func account(_ key: String) -> Located<String>? {
        guard let node = take(key) else { return nil }
        if case .text("") = node.value { return nil }
        return account(node, example: "www-data")
    }

    /// A list of names or numbers of groups.
    func accounts(_ key: String, example: String) -> [Located<String>]? {
        guard let items = list(key, example: example) else { return nil }
        return items.compactMap { account($0, example: example) }
    }

    private func account(_ node: ConfigNode, example: String) -> Located<String>? {
        if case .integer(let number) = node.value, number >= 0 {
            return Located(value: "\(number)", node: node)
        }
        return text(node, example: example)
    }

    /// A list of texts; empty or non-text items are recorded and left out.
    func texts(_ key: String, example: String) -> [Located<String>]? {
        list(key, example: example)?.compactMap { text($0, example: example) }
    }

    private func list(_ key: String, example: String) -> [ConfigNode]? {
        guard let node = take(key) else { return nil }
        guard case .list(let items) = node.value else {
            problems.add(
                node, "is \(node.kind)", "needs a list like [\(TOMLText.quoted(example))]")
            return nil
        }
        return items
    }

    /// One of the cases' raw values.
    func choice<Choice: RawRepresentable<String>>(
        _ key: String, among choices: [Choice]
    ) -> Choice? {
        word(key, among: choices.map(\.rawValue)).flatMap(Choice.init)
    }

    /// One of the given words, for choices without a type.
    func word(_ key: String, among words: [String]) -> String? {
        guard let node = take(key) else { return nil }
        guard case .text(let word) = node.value, words.contains(word) else {
            var right = "needs one of \(words.map(TOMLText.quoted).joined(separator: ", "))"
            if case .text(let word) = node.value,
                let meant = Suggestion.nearest(to: word, among: words)
            {
                right += " (did you mean \(TOMLText.quoted(meant))?)"
            }
            problems.add(node, "is \(node.kind)", right)
            return nil
        }
        return word
    }
}

/// Durations, sizes and tables.
extension TableReader {
    /// A duration, at least a millisecond unless `atLeast` is given.
    func duration(
        _ key: String, atLeast least: Interval = .milliseconds(1),
        atMost most: Interval = .longest
    ) -> Interval? {
        guard let node = take(key) else { return nil }
        guard case .text(let text) = node.value, let span = DurationText.parse(text) else {
            problems.add(
                node, "is \(node.kind)",
                "needs a duration with its unit, like \"500ms\", \"30s\", \"15m\" or \"2h\"")
            return nil
        }
        guard span >= least, span <= most else {
            problems.add(
                node, "is \(node.kind)",
                "needs \"\(DurationText.text(of: least))\" to \"\(DurationText.text(of: most))\"")
            return nil
        }
        return span
    }

    /// A size in bytes.
    func size(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let node = take(key) else { return nil }
        return size(node, in: range, or: "")
    }

    /// A size in bytes; nil also for "auto".
    func sizeOrAuto(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let node = take(key) else { return nil }
        if case .text("auto") = node.value { return nil }
        return size(node, in: range, or: "\"auto\" or ")
    }

    /// - Parameter other: other accepted values, for the message.
    private func size(_ node: ConfigNode, in range: ClosedRange<Int>, or other: String) -> Int? {
        guard case .text(let text) = node.value, let bytes = SizeText.parse(text) else {
            problems.add(
                node, "is \(node.kind)",
                "needs \(other)a size with its unit, like \"64KiB\", \"1MiB\" or \"2GiB\"")
            return nil
        }
        guard range.contains(bytes) else {
            let least = SizeText.text(of: range.lowerBound)
            let most = SizeText.text(of: range.upperBound)
            problems.add(
                node, "is \(node.kind)", "needs \(other)\"\(least)\" to \"\(most)\"")
            return nil
        }
        return bytes
    }

    func table(_ key: String) -> TableReader? {
        take(key).flatMap { TableReader($0, problems) }
    }

    /// An array of tables; nil if missing or invalid.
    func tables(_ key: String) -> [TableReader]? {
        guard let node = take(key) else { return nil }
        guard case .list(let items) = node.value else {
            problems.add(
                node, "is \(node.kind)",
                "needs [[\((self.node.path + [key]).joined(separator: "."))]]")
            return nil
        }
        return items.compactMap { TableReader($0, problems) }
    }
}
