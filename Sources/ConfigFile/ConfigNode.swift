/// A value of the configuration with its position in the file.
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
    /// The key names from the top table to this value, without list indices.
    var path: [String]

    /// The path as it is written in TOML.
    var key: String { path.map(TOMLText.key).joined(separator: ".") }

    /// A description for messages: short texts are quoted and escaped, others are named by type.
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
