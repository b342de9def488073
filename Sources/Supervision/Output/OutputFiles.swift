internal import Dispatch
internal import Logging

/// The output files of groups (`output`), and the read buffer.
///
/// Each has a writer with its own thread: a disk that hangs costs only the lines of its own file.
struct OutputFiles {
    /// How long the shutdown waits for all of them together.
    private static let endPatience = DispatchTimeInterval.seconds(2)

    /// By path.
    private var writers: [String: OutputWriter] = [:]
    /// The read buffer for pipes and health checks.
    var scratch = [UInt8](repeating: 0, count: OutputPipe.readSize)

    /// For what servers say that Mooring has not started.
    var throttle = LineThrottle()

    /// The writer for a process's lines to its group's file; nil: they go to the log.
    mutating func lines(
        to path: String, group: String, label: String, pid: Int32, log: Logger
    ) -> TaggedLines? {
        writer(path, log).map { TaggedLines(writer: $0, group: group, label: label, pid: pid) }
    }

    /// Reopens the files, after log rotation has moved them.
    func reopen() {
        for writer in writers.values { writer.reopen() }
    }

    /// Writes everything to the files; at the end of the loop.
    func end() {
        for writer in writers.values { writer.end() }
        let deadline = DispatchTime.now() + Self.endPatience
        for writer in writers.values { writer.awaitEnd(until: deadline) }
    }

    /// Without its thread the lines go to the log.
    private mutating func writer(_ path: String, _ log: Logger) -> OutputWriter? {
        if let writer = writers[path] { return writer }
        do {
            let writer = try OutputWriter(OutputTarget(path: path), log: log)
            writers[path] = writer
            return writer
        } catch {
            log.error("the output file \(path) cannot be written: \(error)")
            return nil
        }
    }
}
