internal import Dispatch
internal import Logging
internal import Reactor
internal import Synchronization

/// Writes the groups' output files, on a thread of its own.
///
/// A file that cannot be written (a full disk, a missing directory) is told once; its lines are
/// counted and dropped until it can be, which is told too.
final class OutputWriter: Sendable {
    private enum Message: Sendable {
        case lines([UInt8], count: Int, OutputTarget)
        case reopen
        case end
    }

    /// Between attempts to open a file that could not be opened.
    private static let openPause: Int64 = 1_000_000_000
    /// What the end waits for a disk that hangs.
    private static let endPatience = DispatchTimeInterval.seconds(2)

    private let mailbox: Mailbox<Message>
    private let log: Logger
    private let ended = DispatchSemaphore(value: 0)

    /// Starts the thread.
    init(log: Logger) throws(SystemError) {
        let loop = try EventLoop()
        mailbox = Mailbox(waker: loop.waker)
        self.log = log
        let handover = LoopHandover(loop: loop)
        try LoopThread.start(name: "output") { [self] in run(handover.loop) }
    }

    /// Leaves whole lines to be written; those that find no room are counted.
    func append(_ bytes: [UInt8], count: Int, to target: OutputTarget) {
        guard target.admits(bytes: bytes.count, lines: count) else { return }
        mailbox.post(.lines(bytes, count: count, target))
    }

    /// Closes every file; the next line opens it by its name again, as log rotation expects.
    func reopen() { mailbox.post(.reopen) }

    /// Writes what was appended, closes the files and ends the thread; once.
    func end() {
        mailbox.post(.end)
        if ended.wait(timeout: .now() + Self.endPatience) == .timedOut {
            log.warning("the last lines of the processes' output could not be written in time")
        }
    }

    private func run(_ loop: EventLoop) {
        var files: [String: File] = [:]
        var batch: [Message] = []
        while true {
            loop.turn(until: nil) { _, _ in }
            mailbox.drain(into: &batch)
            for message in batch {
                switch message {
                case .lines(let bytes, let count, let target):
                    write(bytes, count: count, target, to: &files[target.path, default: File()])
                case .reopen:
                    for path in Array(files.keys) { files[path]?.close() }
                case .end:
                    for path in Array(files.keys) { files[path]?.close() }
                    ended.signal()
                    return
                }
            }
        }
    }

    /// One of the files, as far as it could be opened.
    private struct File {
        var output: OutputFile?
        /// Before then it is not tried to open it again.
        var openAt: Int64 = 0
        /// It has been told that lines are lost.
        var isFailing = false

        mutating func close() {
            output?.close()
            output = nil
            openAt = 0
        }
    }

    private func write(_ bytes: [UInt8], count: Int, _ target: OutputTarget, to file: inout File) {
        defer { target.settle(bytes: bytes.count) }
        open(target.path, &file)
        // What was written in part is ended first.
        let whole = file.isFailing ? Array("\n".utf8) + bytes : bytes
        guard let output = file.output else { return target.lose(lines: count) }
        do {
            try output.write(whole)
        } catch {
            target.lose(lines: count)
            let reason = SystemError.message(error.errno)
            return tellFailure(&file, "\(target.path) cannot be written to: \(reason)")
        }
        let lost = target.takeLost()
        if file.isFailing || lost > 0 {
            log.notice("\(lost) lines of output were not written to \(target.path)")
        }
        file.isFailing = false
    }

    private func open(_ path: String, _ file: inout File) {
        let now = Clock.monotonic()
        guard file.output == nil, file.openAt <= now else { return }
        do {
            file.output = try OutputFile(appendingTo: path, onlyFiles: true)
        } catch {
            file.openAt = now + Self.openPause
            tellFailure(&file, "\(error)")
        }
    }

    private func tellFailure(_ file: inout File, _ problem: String) {
        if file.isFailing { return }
        file.isFailing = true
        log.error(
            "\(problem); the processes' lines are lost until that changes: is the disk full?")
    }
}
