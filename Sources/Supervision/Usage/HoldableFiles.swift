internal import Dispatch
internal import Glibc
internal import Reactor
internal import Synchronization

/// Reads the files of /proc that show a process's memory, with which the process can block its
/// readers.
///
/// A process that holds the lock of its own address space, for instance by a file system of its
/// own, blocks all readers of `environ` and `smaps_rollup`. A process of this program's own user
/// could do worse, and is read directly. Another user's is read on a separate thread, for which
/// callers wait only a moment; a user who has blocked one is not read for a while.
final class HoldableFiles: Sendable {
    static let shared = HoldableFiles()

    /// How long a user who has blocked a reader is barred.
    private static let barredFor: Int64 = 60_000_000_000
    /// The most barred users; beyond that, no other user's files are read.
    private static let mostBarred = 8

    private struct State {
        /// Idle and waiting for work; nil: there is none yet, or it is busy.
        var reader: Reader?
        /// Blocked readers, by the user who blocks them.
        var held: [UInt32: Reader] = [:]
        /// Until when a user's files are not read, in monotonic nanoseconds.
        var barred: [UInt32: Int64] = [:]
        /// Users barred since the last call of `takeNews`.
        var news: [UInt32] = []
    }

    private let state = Mutex(State())
    private let own: UInt32
    private let read: @Sendable (String) -> [UInt8]?

    /// - Parameters:
    ///   - own: the user whose processes are read directly.
    ///   - read: reads a file, possibly for ever.
    init(
        own: UInt32 = geteuid(),
        read: @escaping @Sendable (String) -> [UInt8]? = { ProcFile.bytes($0) }
    ) {
        self.own = own
        self.read = read
    }

    /// The content of a file of a process; nil: it is unreadable, or was not read in time.
    ///
    /// - Parameters:
    ///   - users: all of the process's user ids, from ``ProcessIdentity/users(of:)``.
    ///   - patience: the longest wait of the caller, in milliseconds.
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

    /// The users that have blocked a reader since the last call.
    func takeNews() -> [UInt32] {
        state.withLock { state in
            defer { state.news = [] }
            return state.news
        }
    }

    /// The reader to use; nil: the user's files are not read now.
    private static func reader(for user: UInt32, now: Int64, _ state: inout State) -> Reader? {
        if !state.barred.isEmpty { forgive(now: now, &state) }
        guard state.barred[user] == nil, state.barred.count < mostBarred else { return nil }
        defer { state.reader = nil }
        return state.reader ?? Reader()
    }

    /// A user who still blocks a reader stays barred.
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
        /// Nil: it must end.
        var work: (@Sendable () -> [UInt8]?)?
        var content: [UInt8]?
    }

    private let state = Mutex(State())
    private let wanted = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)

    /// Starts a read; false: no thread is available.
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

    /// The content, nil inside if reading failed; nil: it has not returned in time.
    func wait(milliseconds: Int) -> [UInt8]?? {
        guard done.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else {
            return nil
        }
        return .some(state.withLock { $0.content })
    }

    /// Ends the thread, once its read has returned.
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
