internal import FoundationEssentials
internal import Glibc
internal import Logging

/// The log on standard error: a line of text, or of JSON, for each event.
///
/// Text: `2026-11-22T10:00:00.123Z info message key=value`. What comes from outside cannot forge a
/// line or steer a terminal: control characters are escaped. A line is left to the
/// log's writer as a whole, so lines of several threads do not mix.
struct ConsoleLogHandler: LogHandler {
    enum Format: Sendable {
        case text
        case json
    }

    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let format: Format
    private static let timeStyle = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    init(format: Format, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let time = Date.now.formatted(Self.timeStyle)
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        switch format {
        case .text:
            let pairs = all.map { (key: $0.key, value: "\($0.value)") }.sorted { $0.key < $1.key }
            Terminal.writeError(Self.text(time, event, pairs))
        case .json:
            Terminal.writeError(Self.json(time, event, all))
        }
    }

    private static func text(
        _ time: String, _ event: LogEvent, _ pairs: [(key: String, value: String)]
    ) -> String {
        var line = "\(time) \(event.level) \(Terminal.printable(event.message.description))"
        for (key, value) in pairs { line += " \(key)=\(quoted(value))" }
        return line + "\n"
    }

    /// A value as it is, or in quotes where its end would not be seen.
    private static func quoted(_ value: String) -> String {
        let printable = Terminal.printable(value)
        let plain = !value.isEmpty && !value.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        if plain { return printable }
        return "\"\(printable.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    private static func json(
        _ time: String, _ event: LogEvent, _ metadata: Logger.Metadata
    ) -> String {
        var members = metadata.mapValues(LogValue.init)
        members["time"] = LogValue(.string(time))
        members["level"] = LogValue(.string("\(event.level)"))
        members["message"] = LogValue(.string(event.message.description))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and finite numbers can always be encoded.
        guard let data = try? encoder.encode(members) else { return "" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
