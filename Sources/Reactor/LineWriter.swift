internal import Synchronization

/// Writes lines to a file, a pipe or standard error on its own thread: callers never wait.
///
/// The queue is bounded. A line that does not fit, or cannot be written, is dropped whole and
/// counted; the count is reported as soon as lines are written again.
package final class LineWriter: Sendable {
    /// How much queue space a line may use while the reader does not read.
    package enum Priority: Sendable {
        case ordinary
        /// May use a reserve when ordinary lines have filled the queue.
        case important
    }

    /// Opens the file, at the start and for each reopening.
    package typealias Opening = @Sendable () throws(SystemError) -> OutputFile

    /// The writer's reports about itself, called on its own thread or on the caller's.
    package struct Reports: Sendable {
        /// Lines were lost, for the given reason.
        var lost: @Sendable (_ lines: Int, _ reason: String) -> Void
        /// Lines are written again; the number lost since the last report.
        var recovered: @Sendable (_ lines: Int) -> Void
        /// The file could not be reopened; the old one stays in use.
        var notReopened: @Sendable (SystemError) -> Void

        package init(
            lost: @escaping @Sendable (_ lines: Int, _ reason: String) -> Void = { _, _ in },
            recovered: @escaping @Sendable (_ lines: Int) -> Void,
            notReopened: @escaping @Sendable (SystemError) -> Void = { _ in }
        ) {
            self.lost = lost
            self.recovered = recovered
            self.notReopened = notReopened
        }
    }

    private enum Message: Sendable {
        case lines([UInt8], count: Int, Priority)
        case reopen
        case flush(@Sendable () -> Void)
    }

    /// Bytes of ordinary lines that may be queued.
    private static let waitingLimit = 8 << 20
    /// Bytes beyond that for important lines.
    private static let reserve = 1 << 20
    /// Time between two reports of lost lines, in ns.
    private static let pause: Int64 = 1_000_000_000

    private let open: Opening
    private let reports: Reports
    private let mailbox: Mailbox<Message>
    private let waiting = Atomic<Int>(0)
    /// Lost lines that were not reported yet.
    private let unreported = Atomic<Int>(0)
    private let lostLines = Atomic<UInt64>(0)
    private let reopensWanted = Atomic<Int>(0)

    /// Ordinary lines lost since the start.
    package var lost: UInt64 { lostLines.load(ordering: .relaxed) }

    /// Opens the file and starts the thread, which runs until the program exits.
    ///
    /// - Throws: `SystemError` when the file cannot be opened or the thread cannot be started.
    package init(
        name: String, reports: Reports, open: @escaping Opening
    ) throws(SystemError) {
        self.open = open
        self.reports = reports
        let loop = try EventLoop()
        mailbox = Mailbox(waker: loop.waker)
        let file = try open()
        let handover = LoopHandover(loop: loop)
        try LoopThread.start(name: name) { [self] in run(handover.loop, file) }
    }

    /// Queues whole lines to be written; any thread.
    package func append(_ lines: [UInt8], count: Int, _ priority: Priority = .ordinary) {
        let limit = Self.waitingLimit + (priority == .important ? Self.reserve : 0)
        if waiting.load(ordering: .relaxed) + lines.count > limit {
            return lose(count, priority, because: "it is not read as fast as it grows")
        }
        waiting.add(lines.count, ordering: .relaxed)
        mailbox.post(.lines(lines, count: count, priority))
    }

    /// Closes the file and opens it again by name.
    package func reopen() {
        reopensWanted.add(1, ordering: .relaxed)
        mailbox.post(.reopen)
    }

    /// Calls back when everything queued before was written or lost; possibly never.
    package func flush(_ done: @escaping @Sendable () -> Void) { mailbox.post(.flush(done)) }

    private func lose(_ count: Int, _ priority: Priority, because reason: String) {
        unreported.add(count, ordering: .relaxed)
        if priority == .ordinary { lostLines.add(UInt64(count), ordering: .relaxed) }
        reports.lost(count, reason)
    }

    private func run(_ loop: EventLoop, _ opened: OutputFile) {
        var file = opened
        var batch: [Message] = []
        var isCut = false
        var reportAt: Int64 = 0
        while true {
            let owes = unreported.load(ordering: .relaxed) > 0
            loop.turn(until: owes ? max(reportAt, loop.now + Self.pause) : nil) { _, _ in }
            mailbox.drain(into: &batch)
            for message in batch {
                switch message {
                case .lines(let bytes, let count, let priority):
                    // Terminates a line that was written in part.
                    let problem = write(isCut ? [UInt8(ascii: "\n")] + bytes : bytes, to: file)
                    if let problem { lose(count, priority, because: problem) }
                    isCut = problem != nil
                    waiting.subtract(bytes.count, ordering: .relaxed)
                case .reopen:
                    reopensWanted.subtract(1, ordering: .relaxed)
                    reopen(&file)
                case .flush(let done):
                    done()
                }
            }
            if !isCut, loop.now >= reportAt, reportLosses() { reportAt = loop.now + Self.pause }
        }
    }

    /// The reason why it could not be written; nil: it was.
    private func write(_ bytes: [UInt8], to file: OutputFile) -> String? {
        do {
            try file.write(bytes) { reopensWanted.load(ordering: .relaxed) == 0 }
            return nil
        } catch {
            return SystemError.message(error.errno)
        }
    }

    /// Reopens the file; on failure the old one stays, so no line is lost.
    private func reopen(_ file: inout OutputFile) {
        do throws(SystemError) {
            let fresh = try open()
            file.close()
            file = fresh
        } catch {
            reports.notReopened(error)
        }
    }

    /// Reports how many lines were lost, once the report can be written.
    private func reportLosses() -> Bool {
        guard waiting.load(ordering: .relaxed) < Self.waitingLimit / 2 else { return false }
        let count = unreported.exchange(0, ordering: .relaxed)
        if count > 0 { reports.recovered(count) }
        return count > 0
    }
}

/// Passes a loop to the thread that will own it.
package struct LoopHandover: @unchecked Sendable {
    // Sendable: the creator passes the loop on and never touches it again.
    package let loop: EventLoop

    /// The creator must not use the loop afterwards.
    package init(loop: EventLoop) { self.loop = loop }
}
