/// What is logged, how and where (`[log]`).
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
            The least important messages that are logged. `"debug"` also tells of each \
            refused request.
            """),
        .word(
            "format", \.format, among: LogFormat.configurable, needsRestart: true,
            "How a line of the log looks: for people, or an object of JSON for a log collector."),
    ]
}

/// What is logged: this and all that is graver.
package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

/// How a line of the program's log looks.
package enum LogFormat: String, Sendable {
    /// `2026-11-22T10:00:00.123Z info message key=value`.
    case text
    /// An object with `time`, `level`, `message` and the metadata.
    case json
    /// For who runs an application to see what it says (`mooring run`); no file asks for it.
    case developer

    /// Those that `log.format` names.
    package static let configurable: [LogFormat] = [.text, .json]
}

/// Where the access log goes and how it looks.
package struct AccessLogSettings: Equatable, Sendable {
    /// Where the lines go.
    package enum Destination: Equatable, Sendable {
        case off
        case standardError
        /// An absolute path.
        case file(path: String)
    }

    /// How a line looks.
    package enum Format: String, Sendable, CaseIterable {
        /// With what was done for the session.
        case mooring
        /// Apache's.
        case combined
        case json
    }

    package var destination = Destination.standardError
    package var format = Format.mooring

    package init() {}
}
