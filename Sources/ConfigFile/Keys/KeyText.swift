/// The value of a key as TOML.
enum KeyText: Equatable {
    /// Printed after `name = `.
    case value(String)
    /// A comment in place of the key, because no value that the file can hold means the same.
    case comment(String)
    /// A table of its own; the values may be secrets.
    case table([KeyEntry], isSecret: Bool = false)
    /// An array of tables.
    case tables([[KeyEntry]])

    static func text(_ text: String) -> KeyText { .value(TOMLText.quoted(text)) }
    static func list(_ texts: [String]) -> KeyText { .value(TOMLText.list(texts)) }
    /// A table in one line.
    static func inline(_ entries: [KeyEntry]) -> KeyText { .value(inlineTable(entries)) }

    /// What follows `name = ` on one line; nil for values that need more than a line.
    var line: String? {
        switch self {
        case .value(let value): value
        case .table(let entries, _): Self.inlineTable(entries)
        case .comment, .tables: nil
        }
    }

    static func inlineTable(_ entries: [KeyEntry]) -> String {
        if entries.isEmpty { return "{}" }
        let texts = entries.map { "\(TOMLText.key($0.name)) = \($0.value)" }
        return "{ \(texts.joined(separator: ", ")) }"
    }
}

/// A name and its value as TOML.
struct KeyEntry: Equatable {
    var name: String
    var value: String
}

extension KeyRow {
    /// The keys of a table that is printed in one line, or as the value of another key.
    static func entries(_ rows: [KeyRow], of owner: Owner) -> [KeyEntry] {
        rows.compactMap { row in
            row.text(owner)?.line.map { KeyEntry(name: row.name, value: $0) }
        }
    }
}

/// Puts lines of TOML together.
struct TOMLWriter {
    private(set) var text = ""
    /// Whether to print values that may be secrets.
    let showsSecrets: Bool

    init(showsSecrets: Bool) { self.showsSecrets = showsSecrets }

    mutating func comment(_ sentence: String) { text += "# \(sentence)\n" }
    mutating func header(_ header: String) { text += "\n\(header)\n" }
    mutating func value(_ key: String, _ value: String) { text += "\(key) = \(value)\n" }

    /// Writes the keys of a table; sub-tables come last, as TOML requires.
    mutating func write<Owner>(_ rows: [KeyRow<Owner>], of owner: Owner, at path: String = "") {
        let texts = rows.map { ($0.name, $0.text(owner)) }
        for (name, text) in texts {
            switch text {
            case .value(let value): self.value(name, value)
            case .comment(let sentence): comment(sentence)
            case .table, .tables, nil: break
            }
        }
        for (name, text) in texts {
            switch text {
            case .table(let entries, let isSecret):
                header("[\(path).\(name)]")
                write(entries, hidden: isSecret && !showsSecrets)
            case .tables(let tables):
                for entries in tables {
                    header("[[\(path).\(name)]]")
                    write(entries, hidden: false)
                }
            case .value, .comment, nil: break
            }
        }
    }

    private mutating func write(_ entries: [KeyEntry], hidden: Bool) {
        for entry in entries {
            value(TOMLText.key(entry.name), hidden ? TOMLText.quoted("***") : entry.value)
        }
    }
}
