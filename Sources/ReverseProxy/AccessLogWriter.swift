internal import Reactor
internal import Synchronization

/// Writes what the loops have formatted, on a thread of its own: a slow disk delays no request.
///
/// What waits is bounded; what does not fit is dropped whole and counted. SIGUSR1 re-opens the file,
/// as log rotation expects.
final class AccessLogWriter: Sendable {
    private enum Message: Sendable {
        case lines([UInt8], count: Int)
        case reopen
        case flush(@Sendable () -> Void)
    }

    private static let waitingLimit = 8 << 20

    private let destination: AccessLogSettings.Destination
    private let mishaps: Mishaps
    private let mailbox: Mailbox<Message>
    private let waiting = Atomic<Int>(0)
    private let droppedLines = Atomic<UInt64>(0)

    /// Lines lost to a full disk or a writer that could not keep up.
    var dropped: UInt64 { droppedLines.load(ordering: .relaxed) }

    /// - Throws: `SystemError` when the file cannot be opened.
    init(
        _ destination: AccessLogSettings.Destination, mishaps: Mishaps
    ) throws(SystemError) {
        self.destination = destination
        self.mishaps = mishaps
        let loop = try EventLoop()
        mailbox = Mailbox(waker: loop.waker)
        let file = try Self.open(destination)
        let handover = Handover(loop: loop)
        try LoopThread.start(name: "access-log") { [self] in run(handover.loop, file) }
    }

    /// Leaves whole lines to be written; any thread.
    func append(_ lines: [UInt8], count: Int) {
        if waiting.load(ordering: .relaxed) > Self.waitingLimit {
            drop(count, because: "it cannot be written as fast as it grows")
            return
        }
        waiting.add(lines.count, ordering: .relaxed)
        mailbox.post(.lines(lines, count: count))
    }

    /// Closes the file and opens it by its name again.
    func reopen() { mailbox.post(.reopen) }

    /// Calls back when all that was appended before has been written.
    func flush(_ done: @escaping @Sendable () -> Void) { mailbox.post(.flush(done)) }

    private func drop(_ count: Int, because reason: String) {
        droppedLines.add(UInt64(count), ordering: .relaxed)
        mishaps.note(.accessLog, now: Clock.monotonic(), "the access log loses lines: \(reason)")
    }

    private static func open(
        _ destination: AccessLogSettings.Destination
    ) throws(SystemError) -> OutputFile? {
        switch destination {
        case .off: return nil
        case .standardError: return .standardError
        case .file(let path): return try OutputFile(appendingTo: path)
        }
    }

    private func run(_ loop: EventLoop, _ opened: OutputFile?) {
        var file = opened
        var batch: [Message] = []
        while true {
            loop.turn(until: nil) { _, _ in }
            mailbox.drain(into: &batch)
            for message in batch {
                switch message {
                case .lines(let bytes, let count):
                    do {
                        try file?.write(bytes)
                    } catch {
                        drop(count, because: SystemError.message(error.errno))
                    }
                    waiting.subtract(bytes.count, ordering: .relaxed)
                case .reopen:
                    // A file that cannot be opened again keeps the old one: no line is lost.
                    do {
                        let fresh = try Self.open(destination)
                        file?.close()
                        file = fresh
                    } catch {
                        mishaps.note(
                            .reopening, now: Clock.monotonic(),
                            "the access log goes on in its old file: \(error)")
                    }
                case .flush(let done):
                    done()
                }
            }
        }
    }
}

/// Carries a loop to the thread that will own it.
struct Handover: @unchecked Sendable {
    // Sendable: the maker gives the loop away and never touches it again.
    let loop: EventLoop
}
