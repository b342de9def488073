internal import Reactor
internal import Settings

/// Where the loops leave the lines that they have formatted: a writer that they never wait for.
///
/// On standard error they share the writer of the program's own log, so that lines do not mix.
final class AccessLogWriter: Sendable {
    private let writer: LineWriter

    /// Lines lost to a full disk or a reader that could not keep up.
    var dropped: UInt64 { writer.lost }

    /// - Parameter errors: what writes standard error already, if anything does.
    /// - Throws: `SystemError` when the file cannot be opened.
    init(
        _ destination: AccessLogSettings.Destination, errors: LineWriter?, mishaps: Mishaps
    ) throws(SystemError) {
        if destination == .standardError, let errors {
            writer = errors
            return
        }
        let reports = LineWriter.Reports(
            lost: { _, reason in
                mishaps.note(
                    .accessLog, now: Clock.monotonic(), "the access log loses lines: \(reason)")
            },
            recovered: { mishaps.tell("\($0) lines of the access log were lost") },
            notReopened: { error in
                mishaps.note(
                    .reopening, now: Clock.monotonic(),
                    "the access log goes on in its old file: \(error)")
            })
        writer = try LineWriter(name: "access-log", reports: reports) {
            () throws(SystemError) -> OutputFile in
            guard case .file(let path) = destination else { return .standardError }
            return try OutputFile(appendingTo: path)
        }
    }

    /// Leaves whole lines to be written; any thread.
    func append(_ lines: [UInt8], count: Int) { writer.append(lines, count: count) }

    /// Closes the file and opens it by its name again.
    func reopen() { writer.reopen() }

    /// Calls back when all that was appended before has been written, which may be never.
    func flush(_ done: @escaping @Sendable () -> Void) { writer.flush(done) }
}
