internal import Dispatch
internal import Logging
internal import Reactor
internal import Settings
internal import Synchronization

/// The program's own log on standard error, and its end.
///
/// Threads that log never wait for the reader of standard error: lines go through one writer.
package final class ProgramLog: Sendable {
    /// Set by `start`; before that, and in other commands, standard error is written directly.
    package static var current: ProgramLog? { started.load() }

    private static let started = AtomicLazyReference<ProgramLog>()
    /// How long the program's exit waits for a reader that does not read.
    private static let endPatience = DispatchTimeInterval.milliseconds(1500)

    /// Writes standard error.
    let writer: LineWriter
    let format: LogFormat

    private init(writer: LineWriter, format: LogFormat) {
        self.writer = writer
        self.format = format
    }

    /// Starts to log through a writer; only the first call counts.
    static func start(_ format: LogFormat, _ level: Logger.Level) throws -> Logger {
        if current != nil { return Logger(label: "mooring") }
        let writer = try LineWriter(
            name: "log",
            reports: LineWriter.Reports(recovered: { count in
                Logger(label: "mooring").warning(
                    "\(count) lines of this log were lost: it was not read as fast as it grew")
            })
        ) { .standardError }
        _ = started.storeIfNil(ProgramLog(writer: writer, format: format))
        LoggingSystem.bootstrap { _ in ConsoleLogHandler(format: format, level: level) }
        return Logger(label: "mooring")
    }

    /// Queues one or more whole lines.
    func append(_ text: String) { writer.append(Array(text.utf8), count: 1, .important) }

    /// Waits until everything is written, but not for a reader that does not read.
    package func finish() {
        let done = DispatchSemaphore(value: 0)
        writer.flush { done.signal() }
        _ = done.wait(timeout: .now() + Self.endPatience)
    }
}
