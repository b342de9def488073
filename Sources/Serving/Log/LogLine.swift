internal import FoundationEssentials
internal import Logging
internal import Settings

/// One event as a line of the program's log.
///
/// Untrusted content cannot forge a line or control a terminal: control characters are escaped.
struct LogLine {
    var time: Date
    var level: Logger.Level
    var message: String
    var metadata: Logger.Metadata

    private static let timeStyle = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// The line with its terminator.
    func text(_ format: LogFormat) -> String {
        switch format {
        case .text: plain
        case .json: json
        case .developer: developer
        }
    }

    private var plain: String {
        "\(time.formatted(Self.timeStyle)) \(level) \(Terminal.printable(message))"
            + "\(Self.pairs(metadata))\n"
    }

    /// `[app k3f9] line` for output of a process, unchanged; Mooring's own messages without the
    /// time.
    private var developer: String {
        if metadata["stream"] != nil, let group = metadata["group"],
            let process = metadata["process"]
        {
            // Free of control characters except tabs, which tracebacks may contain.
            return "[\(group) \("\(process)".prefix(4))] \(Terminal.coloured(message))\n"
        }
        let prefix = level >= .warning ? "\(level): " : ""
        // There is only one group.
        let facts = Self.pairs(metadata.filter { $0.key != "group" })
        return "[mooring] \(prefix)\(Terminal.printable(message))\(facts)\n"
    }

    private var json: String {
        var members = metadata.mapValues(LogValue.init)
        members["time"] = LogValue(.string(time.formatted(Self.timeStyle)))
        members["level"] = LogValue(.string("\(level)"))
        members["message"] = LogValue(.string(message))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and finite numbers can always be encoded.
        guard let data = try? encoder.encode(members) else { return "" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// ` key=value` for each, sorted.
    private static func pairs(_ metadata: Logger.Metadata) -> String {
        metadata.sorted { $0.key < $1.key }.map { pair($0.key, $0.value) }.joined()
    }

    /// A list is written as its elements; an empty list is left out.
    private static func pair(_ key: String, _ value: Logger.MetadataValue) -> String {
        guard case .array(let elements) = value else { return " \(key)=\(quoted("\(value)"))" }
        if elements.isEmpty { return "" }
        return " \(key)=\(quoted(elements.map { "\($0)" }.joined(separator: ",")))"
    }

    /// A value, quoted if its end would be ambiguous otherwise.
    private static func quoted(_ value: String) -> String {
        let printable = Terminal.printable(value)
        let plain = !value.isEmpty && !value.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        if plain { return printable }
        return "\"\(printable.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }
}
