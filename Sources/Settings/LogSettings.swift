/// What is logged, in which format and where (`[log]`).
package struct LogSettings: Equatable, Sendable {
    package var level = LogLevel.info
    package var format = LogFormat.text
    package var access = AccessLogSettings()

    package init() {}
}

extension LogSettings {
    /// The keys of `[log]` that are plain words.
    package static let keys: [Key<LogSettings>] = [
        .word(
            "level", \.level, among: LogLevel.allCases, needsRestart: true,
            """
            The least severe level that is logged. `"debug"` also logs each request \
            that a group refuses.
            """),
        .word(
            "format", \.format, among: LogFormat.configurable, needsRestart: true,
            "The format of a log line: text for people, or a JSON object for a log collector."),
    ]
}

/// The least severe level that is logged.
package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

/// The format of a line of the program's log.
package enum LogFormat: String, Sendable {
    /// `2026-11-22T10:00:00.123Z info message key=value`.
    case text
    /// An object with `time`, `level`, `message` and the metadata.
    case json
    /// Shows a developer what the application writes (`mooring run`); no file can select it.
    case developer

    /// The formats that `log.format` accepts.
    package static let configurable: [LogFormat] = [.text, .json]
}

/// Where the access log goes and its format.
package struct AccessLogSettings: Equatable, Sendable {
    /// Where the lines go.
    package enum Destination: Equatable, Sendable {
        case off
        case standardError
        /// An absolute path.
        case file(path: String)
    }

    /// The format of a line.
    package enum Format: String, Sendable, CaseIterable {
        /// With what Mooring did for the session.
        case mooring
        /// Apache's.
        case combined
        case json
    }

    package var destination = Destination.standardError
    package var format = Format.mooring

    package init() {}
}
