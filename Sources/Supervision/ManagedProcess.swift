internal import Backends
internal import Logging
internal import Reactor

/// Names a process over all groups.
struct ProcessKey: Hashable, Sendable {
    var group: Int
    var handle: ProcessHandle
}

/// Everything that supervision knows of one spawned process; belongs to the loop's thread.
final class ManagedProcess {
    /// How far it has come.
    ///
    /// What the registry calls ready, draining or stopping is its business.
    enum Phase {
        /// On its way to its program. Can transition to starting and collected.
        case launching(Launch)
        /// Being asked whether it accepts connections. Can transition to running and collected.
        case starting(ReadinessProbe)
        /// Accepts, or was told to end before it did. Can transition to collected.
        case running
        /// The leader is reaped and its group killed; the pipes are read to their end, but no longer
        /// than until `readUntil`, for a descendant that left the group may hold them open. The last
        /// phase: the process is forgotten next.
        case collected(ExitStatus, readUntil: Int64)
    }

    /// A child that has not executed its program yet.
    struct Launch {
        /// For when it has.
        var probe: ReadinessProbe
        let incarnation: Incarnation
        /// It is ended then, and given up if it was ended already.
        var until: Int64
        var isKilled = false
    }

    /// What a turn reads of one pipe, in bytes: little, for with each portion a flooder has that much
    /// room again, and fills it on a processor that others need.
    static let portion = OutputPipe.readSize
    /// What a pipe that had more waits before it is read again: in nanoseconds, and in times of what
    /// its portion took.
    static let shortestPause: Int64 = 2_000_000
    private static let pauseFactor: Int64 = 4

    /// Part of the tokens under which its descriptors are registered; never used again.
    let id: UInt64
    let key: ProcessKey
    let child: ChildProcess
    let label: String
    /// Where it was told to listen.
    let endpoint: ListeningEndpoint
    /// Where it listens; until it does, the first of the places that it was told.
    var address: ProcessAddress
    /// Its own and its descendants'; nil where it has none.
    let cgroup: Cgroup?
    let lines: OutputRing
    var phase: Phase
    /// As whom it was started.
    let user: UInt32
    /// What the state directory is to hold of it; nil: it cannot be adopted later.
    var record: ProcessRecord?
    /// Nanoseconds; bounds how often the sessions are written.
    var sessionsWrittenAt: Int64 = 0
    /// Whether it ends with the balancer however that ends.
    var isGuarded = false
    /// Whether it was sent SIGKILL by this program.
    var wasKilled = false
    /// The listening socket that was found to be its own last, by its inode.
    var listener: UInt64?
    /// Why it was of no use, where that is not how it ended.
    var failure: String?
    /// What else there is to say of its end.
    var diagnosis: String?
    /// Whether it has said that it is ready.
    var saysReady = false
    /// Whether it says so as soon as it listens, whatever its application is up to.
    var saysReadyEarly = false
    /// When its start is told of as slow, unless it is over by then; nil: it was.
    var slowAt: Int64?
    /// Whether the kernel has taken its life to win memory, as far as can be told.
    var endedForMemory = false
    private(set) var output: OutputPipe
    private(set) var errors: OutputPipe
    /// When a pipe that had more than its portion is read again; nil: neither had.
    var resumeAt: Int64?
    var watchdog = Watchdog()
    /// Nil where the group has no health path.
    var health: HealthMonitor?
    /// Bytes above which it is recycled; nil: no limit, or it is known to be above.
    var memoryLimit: Int64?
    /// The way to its group's output file; nil: its lines go to the log.
    var file: TaggedLines?
    /// How often it may tell the registry of itself.
    var noteBucket = TokenBucket(perSecond: 20, burst: 100)
    var hasFloodedNotes = false

    private var throttle = LineThrottle()
    private let outputLog: Logger
    private let errorsLog: Logger

    init(
        id: UInt64, key: ProcessKey, child: ChildProcess, label: String,
        endpoint: ListeningEndpoint,
        phase: Phase, groupName: String, user: UInt32, log: Logger, cgroup: Cgroup? = nil
    ) {
        self.id = id
        self.key = key
        self.child = child
        self.label = label
        self.endpoint = endpoint
        address = endpoint.first
        self.cgroup = cgroup
        self.user = user
        lines = OutputRing()
        self.phase = phase
        output = OutputPipe(stream: .output, descriptor: child.output)
        errors = OutputPipe(stream: .errors, descriptor: child.errors)
        var log = log
        log[metadataKey: "group"] = "\(groupName)"
        log[metadataKey: "process"] = "\(label)"
        log[metadataKey: "pid"] = .stringConvertible(child.pid)
        log[metadataKey: "stream"] = "\(OutputPipe.Stream.output.rawValue)"
        outputLog = log
        log[metadataKey: "stream"] = "\(OutputPipe.Stream.errors.rawValue)"
        errorsLog = log
    }

    /// Whether the leader still has its pid, which may be signalled.
    var isUncollected: Bool {
        switch phase {
        case .launching, .starting, .running: true
        case .collected: false
        }
    }

    /// Whether it executes its program and is asked whether it is ready.
    var isStarting: Bool {
        if case .starting = phase { true } else { false }
    }

    /// How long a pipe that has more is left alone after a portion that took `spent` nanoseconds.
    ///
    /// So a process that floods its output is held to 4 MB/s and a fifth of this thread's time
    /// instead of having all of it. The dead write no more: what is left of theirs is read on.
    func pause(after spent: Int64) -> Int64 {
        isUncollected ? max(Self.shortestPause, spent * Self.pauseFactor) : 0
    }

    /// Whether its memory is to be looked at.
    var hasMemoryLimit: Bool {
        if case .running = phase { memoryLimit != nil } else { false }
    }

    var hasOpenPipe: Bool { output.isOpen || errors.isOpen }

    /// The earliest time at which something is to be done without an event.
    var nextDeadline: Int64? {
        var earliest = [
            resumeAt, throttle.reportAt, watchdog.deadline, health?.nextDeadline,
        ].compactMap(\.self).min()
        switch phase {
        case .launching(let launch):
            earliest = min(earliest ?? launch.until, launch.until)
        case .starting(let probe):
            for next in [probe.nextAttempt, slowAt].compactMap(\.self) {
                earliest = min(earliest ?? next, next)
            }
        case .running:
            break
        case .collected(_, let readUntil):
            earliest = min(earliest ?? readUntil, readUntil)
        }
        return earliest
    }

    /// Reads a portion of one pipe; its lines go to the ring and to the group's file, or else, within
    /// their rate, to the log.
    func read(
        _ stream: OutputPipe.Stream, scratch: inout [UInt8], now: Int64
    ) -> OutputPipe.State {
        file?.begin(stream)
        defer { file?.flush() }
        switch stream {
        case .output:
            return output.read(portion: Self.portion, scratch: &scratch) {
                keep($0, stream, now: now)
            }
        case .errors:
            return errors.read(portion: Self.portion, scratch: &scratch) {
                keep($0, stream, now: now)
            }
        }
    }

    /// Closes both pipes; unfinished lines are kept too.
    ///
    /// Harmless when repeated.
    func closePipes(now: Int64) {
        file?.begin(.output)
        output.close { keep($0, .output, now: now) }
        file?.begin(.errors)
        errors.close { keep($0, .errors, now: now) }
        file?.flush()
        logDropped()
    }

    /// Tells of lines kept from the log if it is time to.
    func logDropped(now: Int64) {
        if let time = throttle.reportAt, time <= now { logDropped() }
    }

    private func logDropped() {
        let count = throttle.takeDropped()
        if count > 0 {
            outputLog.notice(
                "\(count) lines not logged: more than \(LineThrottle.linesPerSecond) a second")
        }
    }

    private func keep(_ line: String, _ stream: OutputPipe.Stream, now: Int64) {
        lines.append(line)
        if file != nil {
            file?.append(line)
        } else if throttle.admits(now: now) {
            switch stream {
            case .output: outputLog.info("\(line)")
            case .errors: errorsLog.notice("\(line)")
            }
        }
    }
}
