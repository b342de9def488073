internal import Backends
internal import Logging
internal import Reactor

/// Identifies a process over all groups.
struct ProcessKey: Hashable, Sendable {
    var group: Int
    var handle: ProcessHandle
}

/// Supervision's state of one spawned process; belongs to the loop's thread.
final class ManagedProcess {
    /// The progress of the process.
    ///
    /// The registry distinguishes ready, draining and stopping by itself.
    enum Phase {
        /// Not yet executing its program.
        ///
        /// Can transition to starting and collected.
        case launching(Launch)
        /// Being probed for accepting connections.
        ///
        /// Can transition to running and collected.
        case starting(ReadinessProbe)
        /// Accepts connections, or was ordered to stop before that.
        ///
        /// Can transition to collected.
        case running
        /// The leader is reaped and its group killed; the pipes are read to their end, but no
        /// longer than until `readUntil`, since a descendant outside the group may hold them open.
        ///
        /// The last phase: the process is forgotten next.
        case collected(ExitStatus, readUntil: Int64)
    }

    /// A child that has not executed its program yet.
    struct Launch {
        /// Used after the exec.
        var probe: ReadinessProbe
        let incarnation: Incarnation
        /// Then it is killed, or given up if it was killed already.
        var until: Int64
        var isKilled = false
    }

    /// The bytes read from one pipe per turn: few, because each read makes room that a flooding
    /// process fills again, using CPU time that others need.
    static let portion = OutputPipe.readSize
    /// How long a pipe with more output rests before the next read: a minimum in nanoseconds, and a
    /// multiple of the time that reading took.
    static let shortestPause: Int64 = 2_000_000
    private static let pauseFactor: Int64 = 4

    /// Part of the tokens of its descriptors; never reused.
    let id: UInt64
    let key: ProcessKey
    let child: ChildProcess
    let label: String
    let groupName: String
    /// The endpoint that it was given.
    let endpoint: ListeningEndpoint
    /// Its address; until it listens, the first of its endpoint.
    var address: ProcessAddress
    /// Its own and its descendants'; nil: it has none.
    let cgroup: Cgroup?
    let lines: OutputRing
    var phase: Phase
    /// The user that it was started as.
    let user: UInt32
    /// Its record for the state directory; nil: it cannot be adopted later.
    var record: ProcessRecord?
    /// Nanoseconds; limits how often the sessions are written.
    var sessionsWrittenAt: Int64 = 0
    /// Its group was not in the configuration when it was adopted, so nobody knows what to watch.
    var isUnwatched = false
    /// Whether it is killed when the balancer ends, however it ends.
    var isGuarded = false
    /// Whether this program sent it SIGKILL.
    var wasKilled = false
    /// The inode of the listening socket that was last found to be its own.
    var listener: UInt64?
    /// Why it failed, if its exit status does not show that.
    var failure: String?
    /// Additional information about its exit.
    var diagnosis: String?
    /// Whether it has sent READY=1.
    var hasSentReady = false
    /// Whether it sends READY=1 as soon as it listens, before its application is loaded.
    var sendsReadyEarly = false
    /// When its start is logged as slow, unless it is over by then; nil: it was logged.
    var slowAt: Int64?
    /// Whether the kernel's OOM killer has probably killed it.
    var endedForMemory = false
    private(set) var output: OutputPipe
    private(set) var errors: OutputPipe
    /// When a pipe with more output is read again; nil: neither has more.
    var resumeAt: Int64?
    var watchdog = Watchdog()
    /// Nil if the group has no health path.
    var health: HealthMonitor?
    /// Bytes above which it is recycled; nil: no limit, or it is known to be above.
    var memoryLimit: Int64?
    /// Writes to its group's output file; nil: its lines go to the log.
    var file: TaggedLines?
    /// Limits its notifications to the registry.
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
        self.groupName = groupName
        self.endpoint = endpoint
        address = endpoint.first
        self.cgroup = cgroup
        self.user = user
        lines = OutputRing()
        self.phase = phase
        output = OutputPipe(stream: .output, descriptor: child.output)
        errors = OutputPipe(stream: .errors, descriptor: child.errors)
        var log = log.about(group: groupName)
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

    /// Whether it executes its program and is probed for readiness.
    var isStarting: Bool {
        if case .starting = phase { true } else { false }
    }

    /// How long a pipe with more output rests after a read that took `spent` nanoseconds.
    ///
    /// This limits a process that floods its output to 4 MB/s and a fifth of this thread's time. An
    /// exited process writes no more, so the rest of its output is read without pauses.
    func pause(after spent: Int64) -> Int64 {
        isUncollected ? max(Self.shortestPause, spent * Self.pauseFactor) : 0
    }

    /// Whether its memory must be checked.
    var hasMemoryLimit: Bool {
        if case .running = phase { memoryLimit != nil } else { false }
    }

    var hasOpenPipe: Bool { output.isOpen || errors.isOpen }

    /// The earliest time at which it needs attention without an event.
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

    /// Reads a portion of one pipe; its lines go to the ring and to the group's file, or, within a
    /// rate limit, to the log.
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

    /// Takes lines that its application said otherwise than through its pipes.
    func hear(_ bytes: [UInt8], now: Int64) {
        file?.begin(.errors)
        LineFramer.lines(of: bytes) { keep($0, .errors, now: now) }
        file?.flush()
    }

    /// Closes both pipes; unfinished lines are kept too.
    ///
    /// Repeated calls are harmless.
    func closePipes(now: Int64) {
        file?.begin(.output)
        output.close { keep($0, .output, now: now) }
        file?.begin(.errors)
        errors.close { keep($0, .errors, now: now) }
        file?.flush()
        logDropped()
    }

    /// Logs how many lines were dropped, if it is time to.
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
