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
        /// For who runs an application to see what it says.
        case developer
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
            Terminal.writeError(Self.text(time, event, all))
        case .json:
            Terminal.writeError(Self.json(time, event, all))
        case .developer:
            Terminal.writeError(Self.developer(event, all))
        }
    }

    private static func text(
        _ time: String, _ event: LogEvent, _ metadata: Logger.Metadata
    ) -> String {
        let message = Terminal.printable(event.message.description)
        return "\(time) \(event.level) \(message)\(pairs(metadata))\n"
    }

    /// ` key=value` of each, sorted.
    private static func pairs(_ metadata: Logger.Metadata) -> String {
        metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\(quoted("\($0.value)"))" }.joined()
    }

    /// `[app k3f9] line` of a process, as it wrote it; what Mooring itself says without the time.
    private static func developer(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        let message = event.message.description
        if metadata["stream"] != nil, let group = metadata["group"],
            let process = metadata["process"]
        {
            // Free of control characters but for tabs, which tracebacks may have.
            return "[\(group) \("\(process)".prefix(4))] \(message)\n"
        }
        let level = event.level >= .warning ? "\(event.level): " : ""
        // There is one group.
        let facts = pairs(metadata.filter { $0.key != "group" })
        return "[mooring] \(level)\(Terminal.printable(message))\(facts)\n"
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
