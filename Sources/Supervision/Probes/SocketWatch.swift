internal import CLinux
internal import Logging
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

extension SupervisionLoop {
    func openSocketWatch() {
        do {
            try socketWatch.open()
            guard let descriptor = socketWatch.descriptor else { return }
            try loop.add(descriptor, token: Source.socket.token(0))
        } catch {
            socketWatch.close()
            log.debug("sockets that appear are looked for, not told of: \(error)")
        }
    }

    /// A process begins to start: an event is to tell of its socket.
    func watchSocket(of process: ManagedProcess) {
        guard process.place.socket != nil else { return }
        armSocketWatch(now: Clock.monotonic())
    }

    func armSocketWatchIfDue(now: Int64) {
        if let time = socketWatch.armAt, time <= now { armSocketWatch(now: now) }
    }

    /// Something has appeared: all who are waited for there are asked.
    func socketAppeared() {
        socketWatch.fire()
        lookForSockets(now: Clock.monotonic())
    }

    /// Asks for the next event; what appeared before is looked for once more.
    private func armSocketWatch(now: Int64) {
        var directories: Set<String> = []
        for process in processes.values {
            guard case .starting = process.phase, let path = process.place.socket,
                let slash = path.lastIndex(of: "/")
            else { continue }
            directories.insert(String(path[..<slash]))
        }
        let isWatched = socketWatch.arm(directories, now: now)
        for process in processes.values {
            guard case .starting(var probe) = process.phase else { continue }
            probe.isWatched = isWatched
            process.phase = .starting(probe)
        }
        if isWatched { lookForSockets(now: now) }
    }

    /// Has those asked in this turn that may have made a socket.
    private func lookForSockets(now: Int64) {
        for process in processes.values where process.place.socket != nil {
            guard case .starting(var probe) = process.phase else { continue }
            probe.lookAgain(now: now)
            process.phase = .starting(probe)
        }
    }
}
