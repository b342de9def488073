internal import Dispatch
internal import Logging

/// The files of groups that write what their processes say to one (`output`), and what reading takes.
///
/// Each has a writer and a thread of its own: a disk that does not answer costs the lines of its own
/// file alone.
struct OutputFiles {
    /// What the end waits for all of them together.
    private static let endPatience = DispatchTimeInterval.seconds(2)

    /// By path.
    private var writers: [String: OutputWriter] = [:]
    /// Where pipes and answers are read into.
    var scratch = [UInt8](repeating: 0, count: OutputPipe.readSize)

    /// The way to a group's file for the lines of a process; nil: they go to the log.
    mutating func lines(
        to path: String, group: String, label: String, pid: Int32, log: Logger
    ) -> TaggedLines? {
        writer(path, log).map { TaggedLines(writer: $0, group: group, label: label, pid: pid) }
    }

    /// Opens the files anew, after log rotation has moved them.
    func reopen() {
        for writer in writers.values { writer.reopen() }
    }

    /// Everything that was written reaches its file; at the end of the loop.
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
