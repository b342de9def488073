internal import CLinux
internal import Reactor

/// Tells of sockets that appear in the runtime directory, so that who makes one is ready at once.
///
/// inotify(7), one event at a time: whoever can make files in one of the directories causes an event
/// per `pause` and no more. Without it the attempts to connect are closer together.
struct SocketWatch {
    private static let pause: Int64 = 2_000_000

    /// Nil: there is none.
    private(set) var descriptor: Int32?
    private var armedAt = Int64.min
    /// When to ask for the next event; nil: it has been asked for, or nobody waits.
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

    /// Asks for the next event in the directories; false: it cannot be had.
    mutating func arm(_ directories: Set<String>, now: Int64) -> Bool {
        guard let descriptor else { return false }
        armedAt = now
        armAt = nil
        return directories.allSatisfy { unsafe mooring_inotify_once(descriptor, $0) == 0 }
    }

    /// An event has come, and is taken off.
    mutating func fire() {
        guard let descriptor else { return }
        mooring_inotify_drain(descriptor)
        armAt = armedAt + Self.pause
    }
}
