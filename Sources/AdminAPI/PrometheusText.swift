/// Writes the Prometheus text exposition format 0.0.4.
///
/// Every sample of a metric stands below its one HELP and TYPE line, as the format asks.
struct PrometheusText {
    enum Kind: String {
        case counter
        case gauge
        case summary
    }

    typealias Labels = KeyValuePairs<String, String>

    private(set) var text = ""

    /// Starts a metric; samples follow.
    mutating func metric(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n"
        text += "# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ value: Double, _ labels: Labels = [:]) {
        line(name, value.isFinite ? "\(value)" : "NaN", labels)
    }

    mutating func sample(_ name: String, _ value: some BinaryInteger, _ labels: Labels = [:]) {
        line(name, "\(value)", labels)
    }

    private mutating func line(_ name: String, _ value: String, _ labels: Labels) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.key)=\"\(Self.escaped($0.value, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
