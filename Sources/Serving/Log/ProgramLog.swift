internal import Dispatch
internal import Logging
internal import Reactor
internal import Settings
internal import Synchronization

/// The program's own log on standard error, and the end of it.
///
/// Nobody who has something to say waits for whoever reads standard error: lines go through one writer.
package final class ProgramLog: Sendable {
    /// Once `start` has been called; before, and in other commands, standard error is written at once.
    package static var current: ProgramLog? { started.load() }

    private static let started = AtomicLazyReference<ProgramLog>()
    /// What the end of the program waits for a reader that does not read.
    private static let endPatience = DispatchTimeInterval.milliseconds(1500)

    /// Writes standard error.
    let writer: LineWriter
    let format: LogFormat

    private init(writer: LineWriter, format: LogFormat) {
        self.writer = writer
        self.format = format
    }

    /// Begins to log through a writer; the first call counts.
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

    /// Leaves one or more whole lines.
    func append(_ text: String) { writer.append(Array(text.utf8), count: 1, .important) }

    /// Waits until everything is written, but not for a reader that does not read.
    package func finish() {
        let done = DispatchSemaphore(value: 0)
        writer.flush { done.signal() }
        _ = done.wait(timeout: .now() + Self.endPatience)
    }
}
