/// A value of the configuration with the place where it stands.
struct ConfigNode {
    enum Value {
        case text(String)
        case integer(Int)
        case fraction
        case boolean(Bool)
        case date
        case list([ConfigNode])
        case table([Entry])
    }

    struct Entry {
        var name: String
        var node: ConfigNode
    }

    var value: Value
    /// From 1.
    var line: Int
    /// The names that lead here from the top, items of lists not counted.
    var path: [String]

    /// The path as it is written in TOML.
    var key: String { path.map(TOMLText.key).joined(separator: ".") }

    /// What it is, for messages: a short text is shown, escaped.
    var kind: String {
        switch value {
        case .text(let text): TOMLText.excerpt(text)
        case .integer(let number): "the number \(number)"
        case .fraction: "a number with a fraction"
        case .boolean(let flag): "\(flag)"
        case .date: "a date or time"
        case .list: "a list"
        case .table: "a table"
        }
    }
}
