internal import Dispatch
internal import Glibc
internal import Reactor
internal import Synchronization

/// Reads the files of /proc that show a process's memory, at which the process can hold its readers up:
/// whoever keeps the lock of its own address space, by a file system of its own for instance, has all
/// who read `environ` or `smaps_rollup` wait as well.
///
/// A process with this program's own user could do worse, and is read at once. Another user's is read on
/// a thread of its own, which nobody waits for any longer than a moment; a user who has kept one waiting
/// is not read for a while.
final class HoldableFiles: Sendable {
    static let shared = HoldableFiles()

    /// What one user costs at most, and then nothing for so long.
    private static let barredFor: Int64 = 60_000_000_000
    /// Users that may be barred at once; from then on nobody else's files are read.
    private static let mostBarred = 8

    private struct State {
        /// Waits for work; nil: there is none yet, or it is at work.
        var reader: Reader?
        /// Those that are held up, by who does that.
        var held: [UInt32: Reader] = [:]
        /// Until when a user's files are not read, in monotonic nanoseconds.
        var barred: [UInt32: Int64] = [:]
        /// Users that were barred since that was last asked.
        var news: [UInt32] = []
    }

    private let state = Mutex(State())
    private let own: UInt32
    private let read: @Sendable (String) -> [UInt8]?

    /// - Parameters:
    ///   - own: whose processes are read at once.
    ///   - read: reads a file, which may take for ever.
    init(
        own: UInt32 = geteuid(),
        read: @escaping @Sendable (String) -> [UInt8]? = { ProcFile.bytes($0) }
    ) {
        self.own = own
        self.read = read
    }

    /// The content of a file of a process; nil: it cannot be read, or not in time.
    ///
    /// - Parameters:
    ///   - users: all of the process's user ids, as ``ProcessIdentity/users(of:)`` has them.
    ///   - patience: the longest that the caller waits, in milliseconds.
    func bytes(_ path: String, users: [UInt32], patience: Int) -> [UInt8]? {
        guard let user = users.first(where: { $0 != own }) else { return read(path) }
        let now = Clock.monotonic()
        guard let reader = state.withLock({ Self.reader(for: user, now: now, &$0) }) else {
            return nil
        }
        guard reader.start({ [read] in read(path) }) else { return nil }
        if let content = reader.wait(milliseconds: patience) {
            state.withLock { $0.reader = reader }
            return content
        }
        state.withLock { state in
            state.held[user] = reader
            state.barred[user] = Clock.monotonic() + Self.barredFor
            state.news.append(user)
        }
        return nil
    }

    /// The users that have held a reader up since this was last asked.
    func takeNews() -> [UInt32] {
        state.withLock { state in
            defer { state.news = [] }
            return state.news
        }
    }

    /// Who is to read; nil: the user's files are not read now.
    private static func reader(for user: UInt32, now: Int64, _ state: inout State) -> Reader? {
        if !state.barred.isEmpty { forgive(now: now, &state) }
        guard state.barred[user] == nil, state.barred.count < mostBarred else { return nil }
        defer { state.reader = nil }
        return state.reader ?? Reader()
    }

    /// Whoever still holds a reader up is not.
    private static func forgive(now: Int64, _ state: inout State) {
        for (user, reader) in state.held where reader.wait(milliseconds: 0) != nil {
            reader.end()
            state.held[user] = nil
        }
        state.barred = state.barred.filter { user, until in
            until > now || state.held[user] != nil
        }
    }
}

/// A thread that reads one file after the other.
private final class Reader: Sendable {
    private struct State {
        var isRunning = false
        /// Nil: it is to end.
        var work: (@Sendable () -> [UInt8]?)?
        var content: [UInt8]?
    }

    private let state = Mutex(State())
    private let wanted = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)

    /// Has it read; false: no thread can be had.
    func start(_ work: @escaping @Sendable () -> [UInt8]?) -> Bool {
        let wasRunning = state.withLock { state in
            defer { state.isRunning = true }
            state.work = work
            return state.isRunning
        }
        if !wasRunning {
            do {
                try LoopThread.start(name: "proc") { [self] in run() }
            } catch {
                return false
            }
        }
        wanted.signal()
        return true
    }

    /// What was read, nil inside where that failed; nil: it has not come back in time.
    func wait(milliseconds: Int) -> [UInt8]?? {
        guard done.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else {
            return nil
        }
        return .some(state.withLock { $0.content })
    }

    /// Ends the thread, once it has come back.
    func end() {
        state.withLock { $0.work = nil }
        wanted.signal()
    }

    private func run() {
        while true {
            wanted.wait()
            guard let work = state.withLock({ $0.work }) else { return }
            let content = work()
            state.withLock { $0.content = content }
            done.signal()
        }
    }
}
