internal import Backends

/// Writes the Prometheus text exposition format 0.0.4.
///
/// All samples of a metric follow its one HELP and TYPE line, as the format requires.
struct PrometheusText {
    typealias Kind = MetricKind
    typealias Labels = KeyValuePairs<String, String>

    private(set) var text = ""

    /// Starts a metric; samples follow.
    mutating func metric(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n"
        text += "# TYPE \(name) \(kind.rawValue)\n"
    }

    /// A metric with a single sample.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        metric(name, kind, help)
        sample(name, value)
    }

    mutating func single(
        _ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger
    ) {
        metric(name, kind, help)
        sample(name, value)
    }

    mutating func sample(_ name: String, _ value: Double, _ labels: Labels = [:]) {
        line(name, value.isFinite ? "\(value)" : "NaN", labels)
    }

    mutating func sample(_ name: String, _ value: some BinaryInteger, _ labels: Labels = [:]) {
        line(name, "\(value)", labels)
    }

    /// The cumulative buckets of one group's histogram, and their sum.
    mutating func histogram(_ name: String, _ histogram: DurationHistogram, group: String) {
        var faster: UInt64 = 0
        for (bound, count) in zip(DurationHistogram.bounds, histogram.counts) {
            faster &+= count
            sample("\(name)_bucket", faster, ["group": group, "le": "\(bound)"])
        }
        sample("\(name)_bucket", histogram.total, ["group": group, "le": "+Inf"])
        sample("\(name)_sum", histogram.seconds, ["group": group])
        sample("\(name)_count", histogram.total, ["group": group])
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
