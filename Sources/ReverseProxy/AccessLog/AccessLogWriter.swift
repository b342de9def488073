internal import Reactor
internal import Settings

/// Receives formatted lines from the loops; they never wait for it.
///
/// On standard error it shares the writer of the program's own log, so that lines do not
/// interleave.
final class AccessLogWriter: Sendable {
    private let writer: LineWriter

    /// Lines lost to a full disk or a slow reader.
    var dropped: UInt64 { writer.lost }

    /// - Parameter errors: the existing writer of standard error, if any.
    /// - Throws: `SystemError` when the file cannot be opened.
    init(
        _ destination: AccessLogSettings.Destination, errors: LineWriter?, logThrottle: LogThrottle
    ) throws(SystemError) {
        if destination == .standardError, let errors {
            writer = errors
            return
        }
        let reports = LineWriter.Reports(
            lost: { _, reason in
                logThrottle.note(
                    .accessLog, now: Clock.monotonic(), "the access log loses lines: \(reason)")
            },
            recovered: { logThrottle.log("\($0) lines of the access log were lost") },
            notReopened: { error in
                logThrottle.note(
                    .reopening, now: Clock.monotonic(),
                    "the access log goes on in its old file: \(error)")
            })
        writer = try LineWriter(name: "access-log", reports: reports) {
            () throws(SystemError) -> OutputFile in
            guard case .file(let path) = destination else { return .standardError }
            return try OutputFile(appendingTo: path)
        }
    }

    /// Queues whole lines to be written; any thread.
    func append(_ lines: [UInt8], count: Int) { writer.append(lines, count: count) }

    /// Closes the file and opens it again by name.
    func reopen() { writer.reopen() }

    /// Calls back when everything queued before was written; possibly never.
    func flush(_ done: @escaping @Sendable () -> Void) { writer.flush(done) }
}
