internal import Glibc
internal import Logging
internal import Reactor
internal import Synchronization

/// Reports changed source files below a folder (inotify(7)), for `mooring run --reload`.
final class SourceWatch: Sendable {
    /// An editor or a checkout changes several files at once; they count as one change.
    private static let pause: Int64 = 150_000_000
    /// The longest wait for changes to stop.
    private static let longest: Int64 = 1_000_000_000
    private static let changes = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE)

    private let descriptor: Int32
    private let folder: String
    private let log: Logger
    private let onChange: @Sendable (String) -> Void
    private let folders = Mutex<[Int32: String]>([:])

    /// Starts watching, on a separate thread.
    ///
    /// - Parameter onChange: called with one changed file, relative to the folder.
    /// - Throws: `SystemError`.
    static func start(
        _ folder: String, log: Logger, onChange: @escaping @Sendable (String) -> Void
    ) throws {
        let opened = inotify_init1(Int32(IN_CLOEXEC))
        let descriptor = try SystemError.check(opened < 0 ? -errno : opened, "inotify")
        let watch = SourceWatch(descriptor, folder, log, onChange)
        _ = watch.add("")
        try LoopThread.start(name: "sources") { watch.run() }
    }

    private init(
        _ descriptor: Int32, _ folder: String, _ log: Logger,
        _ onChange: @escaping @Sendable (String) -> Void
    ) {
        self.descriptor = descriptor
        self.folder = folder
        self.log = log
        self.onChange = onChange
    }

    /// Watches a folder and those below it; a path relative to the project's.
    ///
    /// - Returns: a source file that existed already, for which there is no event.
    private func add(_ path: String) -> String? {
        let whole = path.isEmpty ? folder : "\(folder)/\(path)"
        guard folders.withLock({ $0.count }) < SourceFiles.mostFolders else { return nil }
        let number = unsafe inotify_add_watch(
            descriptor, whole, Self.changes | UInt32(IN_ONLYDIR))
        guard number >= 0 else {
            if errno == ENOSPC {
                log.warning(
                    "not all folders are watched: raise fs.inotify.max_user_watches",
                    metadata: ["folder": "\(whole)"])
            }
            return nil
        }
        folders.withLock { $0[number] = path }
        var found: String?
        for entry in SourceFiles.entries(whole) {
            switch entry {
            case .folder(let name):
                let below = add(SourceFiles.joined(path, name))
                found = found ?? below
            case .source(let name, _): found = found ?? SourceFiles.joined(path, name)
            }
        }
        return found
    }

    private func run() {
        while true {
            guard let first = changed() else { continue }
            awaitQuiet()
            onChange(first)
        }
    }

    /// Waits until no source file has changed for a moment; files that the application writes do
    /// not count.
    private func awaitQuiet() {
        let end = Clock.monotonic() + Self.longest
        var quietAt = Clock.monotonic() + Self.pause
        while true {
            let left = min(quietAt, end) - Clock.monotonic()
            if left <= 0 { return }
            var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let wait = Int32((left + 999_999) / 1_000_000)
            if unsafe poll(&question, 1, wait) > 0, changed() != nil {
                quietAt = Clock.monotonic() + Self.pause
            }
        }
    }

    /// Waits for changes; returns the first source file among them.
    private func changed() -> String? {
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe bytes.withUnsafeMutableBytes { room in
            unsafe read(descriptor, room.baseAddress, room.count)
        }
        var first: String?
        var offset = 0
        let head = MemoryLayout<inotify_event>.size
        while offset + head <= count {
            let (number, mask, length) = unsafe bytes.withUnsafeBytes { room in
                unsafe (
                    room.loadUnaligned(fromByteOffset: offset, as: Int32.self),
                    room.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
                    Int(room.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                )
            }
            let name = String(
                decoding: bytes[(offset + head)..<(offset + head + length)].prefix { $0 != 0 },
                as: UTF8.self)
            offset += head + length
            guard let path = folders.withLock({ $0[number] }) else { continue }
            if mask & UInt32(IN_ISDIR) != 0 {
                if mask & UInt32(IN_DELETE) == 0, SourceFiles.hasSources(name) {
                    let below = add(SourceFiles.joined(path, name))
                    first = first ?? below
                }
            } else if mask & UInt32(IN_CREATE) == 0, SourceFiles.isSource(name) {
                // A new file is written later, or is a link: its creation does not count yet.
                first = first ?? SourceFiles.joined(path, name)
            }
        }
        return first
    }
}
