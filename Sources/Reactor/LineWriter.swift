internal import Synchronization

/// Writes lines to a file, a pipe or standard error on a thread of its own: who leaves them never waits.
///
/// What waits is bounded. What does not fit, or cannot be written, is dropped whole and counted; how
/// much that was is told as soon as lines are written again.
package final class LineWriter: Sendable {
    /// How much room lines find while the reader does not read.
    package enum Priority: Sendable {
        case ordinary
        /// Fits where ordinary lines have taken all of theirs.
        case important
    }

    /// Opens the file, at the start and when it is to be opened anew.
    package typealias Opening = @Sendable () throws(SystemError) -> OutputFile

    /// What a writer tells of itself, on its own thread or on that of who leaves lines.
    package struct Reports: Sendable {
        /// Lines were lost, for this reason.
        var lost: @Sendable (_ lines: Int, _ reason: String) -> Void
        /// Lines are written again; so many were lost since this was last told.
        var recovered: @Sendable (_ lines: Int) -> Void
        /// The file could not be opened anew and goes on as it was.
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

    /// Bytes of ordinary lines that may wait.
    private static let waitingLimit = 8 << 20
    /// Bytes beyond that for important ones.
    private static let reserve = 1 << 20
    /// Between two reports of lost lines, in ns.
    private static let pause: Int64 = 1_000_000_000

    private let open: Opening
    private let reports: Reports
    private let mailbox: Mailbox<Message>
    private let waiting = Atomic<Int>(0)
    /// Lines that were lost and not yet told of.
    private let untold = Atomic<Int>(0)
    private let lostLines = Atomic<UInt64>(0)
    private let reopensWanted = Atomic<Int>(0)

    /// Ordinary lines lost since the start.
    package var lost: UInt64 { lostLines.load(ordering: .relaxed) }

    /// Opens and starts the thread, which ends with the program.
    ///
    /// - Throws: `SystemError` when the file cannot be opened or the thread not be started.
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

    /// Leaves whole lines to be written; any thread.
    package func append(_ lines: [UInt8], count: Int, _ priority: Priority = .ordinary) {
        let limit = Self.waitingLimit + (priority == .important ? Self.reserve : 0)
        if waiting.load(ordering: .relaxed) + lines.count > limit {
            return lose(count, priority, because: "it is not read as fast as it grows")
        }
        waiting.add(lines.count, ordering: .relaxed)
        mailbox.post(.lines(lines, count: count, priority))
    }

    /// Closes the file and opens it by its name again.
    package func reopen() {
        reopensWanted.add(1, ordering: .relaxed)
        mailbox.post(.reopen)
    }

    /// Calls back when all that was left before has been written or lost; that may be never.
    package func flush(_ done: @escaping @Sendable () -> Void) { mailbox.post(.flush(done)) }

    private func lose(_ count: Int, _ priority: Priority, because reason: String) {
        untold.add(count, ordering: .relaxed)
        if priority == .ordinary { lostLines.add(UInt64(count), ordering: .relaxed) }
        reports.lost(count, reason)
    }

    private func run(_ loop: EventLoop, _ opened: OutputFile) {
        var file = opened
        var batch: [Message] = []
        var isCut = false
        var tellAt: Int64 = 0
        while true {
            let owes = untold.load(ordering: .relaxed) > 0
            loop.turn(until: owes ? max(tellAt, loop.now + Self.pause) : nil) { _, _ in }
            mailbox.drain(into: &batch)
            for message in batch {
                switch message {
                case .lines(let bytes, let count, let priority):
                    // What was written in part is ended first.
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
            if !isCut, loop.now >= tellAt, tellLosses() { tellAt = loop.now + Self.pause }
        }
    }

    /// Why it could not be written; nil: it was.
    private func write(_ bytes: [UInt8], to file: OutputFile) -> String? {
        do {
            try file.write(bytes) { reopensWanted.load(ordering: .relaxed) == 0 }
            return nil
        } catch {
            return SystemError.message(error.errno)
        }
    }

    /// A file that cannot be opened again keeps the old one: no line is lost.
    private func reopen(_ file: inout OutputFile) {
        do throws(SystemError) {
            let fresh = try open()
            file.close()
            file = fresh
        } catch {
            reports.notReopened(error)
        }
    }

    /// Tells how many lines were lost, once there is room to tell it.
    private func tellLosses() -> Bool {
        guard waiting.load(ordering: .relaxed) < Self.waitingLimit / 2 else { return false }
        let count = untold.exchange(0, ordering: .relaxed)
        if count > 0 { reports.recovered(count) }
        return count > 0
    }
}

/// Carries a loop to the thread that will own it.
package struct LoopHandover: @unchecked Sendable {
    // Sendable: the maker gives the loop away and never touches it again.
    package let loop: EventLoop

    /// The maker gives the loop away.
    package init(loop: EventLoop) { self.loop = loop }
}
