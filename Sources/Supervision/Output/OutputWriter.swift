internal import Dispatch
internal import Glibc
internal import Logging
internal import Reactor
internal import Synchronization

/// Writes an output file on its own thread.
///
/// If the file cannot be written (full disk, missing directory), that is logged once and lines are
/// counted and dropped until it can be, which is logged too.
final class OutputWriter: Sendable {
    private enum Message: Sendable {
        case lines([UInt8], count: Int)
        case reopen
        case end
    }

    /// The pause between attempts to open a file that could not be opened.
    private static let openPause: Int64 = 1_000_000_000

    private let target: OutputTarget
    private let mailbox: Mailbox<Message>
    private let log: Logger
    private let ended = DispatchSemaphore(value: 0)

    /// Starts the thread.
    init(_ target: OutputTarget, log: Logger) throws(SystemError) {
        let loop = try EventLoop()
        self.target = target
        mailbox = Mailbox(waker: loop.waker)
        self.log = log
        let handover = LoopHandover(loop: loop)
        try LoopThread.start(name: "output") { [self] in run(handover.loop) }
    }

    /// Queues whole lines; those that do not fit are counted.
    func append(_ bytes: [UInt8], count: Int) {
        guard target.admits(bytes: bytes.count, lines: count) else { return }
        mailbox.post(.lines(bytes, count: count))
    }

    /// Closes the file; the next line opens it again by name, as log rotation expects.
    func reopen() { mailbox.post(.reopen) }

    /// Writes the queued lines, closes the file and ends the thread; call once.
    func end() { mailbox.post(.end) }

    /// Waits for the thread's end, which a disk that hangs delays.
    func awaitEnd(until deadline: DispatchTime) {
        if ended.wait(timeout: deadline) == .timedOut {
            log.warning("the last lines for \(target.path) could not be written in time")
        }
    }

    private func run(_ loop: EventLoop) {
        var file = File()
        var batch: [Message] = []
        while true {
            loop.turn(until: nil) { _, _ in }
            mailbox.drain(into: &batch)
            for message in batch {
                switch message {
                case .lines(let bytes, let count): write(bytes, count: count, to: &file)
                case .reopen: file.close()
                case .end:
                    file.close()
                    ended.signal()
                    return
                }
            }
        }
    }

    /// The file, if it could be opened.
    private struct File {
        var output: OutputFile?
        /// No attempt to open it is made before this time.
        var openAt: Int64 = 0
        /// The loss of lines was logged.
        var isFailing = false

        mutating func close() {
            output?.close()
            output = nil
            openAt = 0
        }
    }

    private func write(_ bytes: [UInt8], count: Int, to file: inout File) {
        defer { target.settle(bytes: bytes.count) }
        open(&file)
        // Terminates a line that was written in part.
        let whole = file.isFailing ? Array("\n".utf8) + bytes : bytes
        guard let output = file.output else { return target.lose(lines: count) }
        do {
            try output.write(whole)
        } catch {
            target.lose(lines: count)
            let reason = SystemError.message(error.errno)
            return logFailure(&file, "\(target.path) cannot be written to: \(reason)", error)
        }
        let lost = target.takeLost()
        if file.isFailing || lost > 0 {
            log.notice("\(lost) lines of output were not written to \(target.path)")
        }
        file.isFailing = false
    }

    private func open(_ file: inout File) {
        let now = Clock.monotonic()
        guard file.output == nil, file.openAt <= now else { return }
        do {
            file.output = try OutputFile(appendingTo: target.path, onlyFiles: true)
        } catch {
            file.openAt = now + Self.openPause
            logFailure(&file, "\(error)", error)
        }
    }

    private func logFailure(_ file: inout File, _ problem: String, _ error: SystemError) {
        if file.isFailing { return }
        file.isFailing = true
        let remedy =
            switch error.errno {
            case ENOENT: ": make its folder"
            case ENOSPC, EDQUOT: ": make room"
            default: ""
            }
        log.error("\(problem); the processes' lines are lost until that changes\(remedy)")
    }
}
