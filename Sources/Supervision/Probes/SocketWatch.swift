internal import CLinux
internal import Reactor

/// Reports sockets that appear in the runtime directory, so that a process is ready as soon as it
/// creates one.
///
/// inotify(7), one event at a time: a user who can create files in one of the directories causes at
/// most one event per `pause`. Without inotify, connection attempts are more frequent.
struct SocketWatch {
    private static let pause: Int64 = 2_000_000

    /// Nil: there is none.
    private(set) var descriptor: Int32?
    private var armedAt = Int64.min
    /// When to arm the next event; nil: it is armed, or no process is starting.
    private(set) var armAt: Int64?

    init() {}

    mutating func open() throws(SystemError) {
        descriptor = try SystemError.check(mooring_inotify_open(), "inotify")
    }

    mutating func close() {
        if let descriptor { mooring_close(descriptor) }
        descriptor = nil
        armAt = nil
    }

    /// Arms the next event in the directories; false: impossible.
    mutating func arm(_ directories: Set<String>, now: Int64) -> Bool {
        guard let descriptor else { return false }
        armedAt = now
        armAt = nil
        return directories.allSatisfy { unsafe mooring_inotify_once(descriptor, $0) == 0 }
    }

    /// An event has arrived, and is consumed.
    mutating func fire() {
        guard let descriptor else { return }
        mooring_inotify_drain(descriptor)
        armAt = armedAt + Self.pause
    }
}
