internal import Backends
internal import Settings

/// What the state directory holds of one process: enough for a later balancer to prove that a process
/// is the one, to adopt it where that is asked for, and to stop it where not.
struct ProcessRecord: Equatable, Sendable {
    /// Where a process was when its record was last written.
    enum Stage: String, Sendable {
        /// About to be spawned or just spawned: neither pid nor start time are known (both 0). Should
        /// the balancer end now, the process is found by the label in its environment.
        case intended
        case starting
        case ready
        /// Serves the sessions that it has, and gets no others.
        case draining
        /// Was told to end.
        case stopping
    }

    /// The machine's, and what the pid is a number in.
    var boot: BootIdentity
    /// The balancer that looks after it, by pid and start time.
    var balancer: ProcessInstance
    /// Of the balancer that started it, which one balancer at a time can have.
    var runtimeDirectory: String
    var process: ProcessInstance
    var label: String
    var incarnation: Incarnation
    var group: String
    var generation: Int
    /// Of the configuration that it was started by; see `LaunchSpec.fingerprint`.
    var fingerprint: String
    var address: ProcessAddress
    /// The port that it was told besides its socket, until it is known at which of them it listens.
    var port: UInt16?
    /// The real user id that it was started with.
    var user: UInt32
    var onExit: OnExit
    var stage: Stage
    /// Whether it was found to accept connections.
    var hasBeenReady: Bool {
        switch stage {
        case .ready, .draining: true
        case .intended, .starting, .stopping: false
        }
    }
    /// Left by its balancer for the next one, which may adopt it whatever `onExit` says.
    var isLeft = false
    /// The longest idle time that one of its sessions was given; zero: all have the group's.
    var sessionHold = Interval.zero
    /// Live sessions, where a process has a bounded number of them.
    var sessions = RememberedSessions()

    static let longestFingerprint = 128
    static let longestName = 256
    static let longestPath = 1024
    static let mostSessions = 10_000
    /// Of a file: all sessions, and what stands before them.
    static let sizeLimit = mostSessions * 38 + 8192
}

extension RememberedSessions {
    /// The confirmed before the others.
    func prefix(_ length: Int) -> RememberedSessions {
        RememberedSessions(
            confirmed: Array(confirmed.prefix(length)),
            unconfirmed: Array(unconfirmed.prefix(max(0, length - confirmed.count))))
    }

    var count: Int { confirmed.count + unconfirmed.count }
}

/// A process of this machine since its start: the pid alone is given to others later.
struct ProcessInstance: Equatable, Sendable {
    /// 0: none.
    var pid: Int32
    /// Field 22 of /proc/PID/stat, in clock ticks since boot.
    var startTime: UInt64

    static let none = ProcessInstance(pid: 0, startTime: 0)
}

/// Where a pid and a start time mean something: one boot of one machine, one pid namespace.
struct BootIdentity: Equatable, Sendable {
    /// /proc/sys/kernel/random/boot_id.
    var bootID: String
    /// The inode number of /proc/self/ns/pid: containers share a boot.
    var pidNamespace: UInt64
}
