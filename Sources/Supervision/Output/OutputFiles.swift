internal import Logging

/// The files of groups that write what their processes say to one (`output`), and what reading takes.
struct OutputFiles {
    /// Nil: no group has a file yet.
    private var writer: OutputWriter?
    private var targets: [String: OutputTarget] = [:]
    /// Where pipes and answers are read into.
    var scratch = [UInt8](repeating: 0, count: OutputPipe.readSize)

    /// The way to a group's file for the lines of a process; nil: they go to the log.
    mutating func lines(
        to path: String, group: String, label: String, pid: Int32, log: Logger
    ) -> TaggedLines? {
        guard let writer = startedWriter(log) else { return nil }
        let target = targets[path] ?? OutputTarget(path: path)
        targets[path] = target
        return TaggedLines(target: target, writer: writer, group: group, label: label, pid: pid)
    }

    /// Opens the files anew, after log rotation has moved them.
    func reopen() { writer?.reopen() }

    /// Everything that was written reaches its file; at the end of the loop.
    func end() { writer?.end() }

    /// Without its thread the lines go to the log.
    private mutating func startedWriter(_ log: Logger) -> OutputWriter? {
        if let writer { return writer }
        do {
            writer = try OutputWriter(log: log)
        } catch {
            log.error("the output files of groups cannot be written: \(error)")
        }
        return writer
    }
}
