internal import FoundationEssentials
internal import Logging
internal import Settings

/// The log on standard error: one line of text or JSON per event.
///
/// Whole lines are passed to the log's writer, so lines of several threads do not interleave.
struct ConsoleLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let format: LogFormat

    init(format: LogFormat, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = LogLine(
            time: .now, level: event.level, message: event.message.description,
            metadata: metadata.merging(event.metadata ?? [:]) { _, new in new })
        Terminal.writeError(line.text(format))
    }
}
