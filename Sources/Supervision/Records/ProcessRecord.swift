internal import Backends
internal import Settings

/// The record of one process in the state directory: enough for a later balancer to verify the
/// process's identity, and to adopt or stop it.
struct ProcessRecord: Equatable, Sendable {
    /// The state of the process when its record was last written.
    enum Stage: String, Sendable {
        /// About to be spawned or just spawned: neither pid nor start time are known (both 0).
        ///
        /// If the balancer exits now, the process is found by the label in its environment.
        case intended
        case starting
        case ready
        /// Serves its sessions, and gets no others.
        case draining
        /// Was ordered to stop.
        case stopping
    }

    /// The boot and pid namespace in which the pid is valid.
    var boot: BootIdentity
    /// The balancer that manages it, by pid and start time.
    var balancer: ProcessInstance
    /// The runtime directory of the balancer that started it, which only one balancer at a time can
    /// use.
    var runtimeDirectory: String
    var process: ProcessInstance
    var label: String
    var incarnation: Incarnation
    var group: String
    var generation: Int
    /// The fingerprint of its launch; see `LaunchSpec.fingerprint`.
    var fingerprint: String
    var address: ProcessAddress
    /// The port that it was given besides its socket, until it is known which of them it uses.
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
    /// Left by its balancer for the next one, which may adopt it regardless of `onExit`.
    var isLeft = false
    /// The longest idle time granted to one of its sessions; zero: all have the group's.
    var sessionHold = Interval.zero
    /// Live sessions, if their number per process is limited.
    var sessions = RememberedSessions()
    /// Whether it has sessions at all; nil in records of long ago.
    var hasSessions: Bool?
    /// Out of service because its group has left the configuration.
    var isRetired = false
    /// When its last sessions are given up, by the clock of this boot; nil: it is in service.
    var drainUntil: Int64?
    /// What it is kept by if its group is not in the configuration any more; nil in records of long ago.
    var retirement: RetirementPolicy?
    /// The file that its output goes to.
    var outputFile: String?

    static let longestFingerprint = 128
    static let longestName = 256
    static let longestPath = 1024
    static let mostSessions = 10_000
    /// Of a file: all sessions, and what stands before them.
    static let sizeLimit = mostSessions * 38 + 16_384
}

extension ProcessRecord {
    /// Whether another balancer looks after it: our runtime directory is nobody else's.
    func isAnothers(than directory: RuntimeDirectory) -> Bool {
        runtimeDirectory != directory.path && !isLeft && ProcessIdentity.exists(balancer)
    }

    /// An output file as it can be written; nil where its path cannot.
    static func writable(_ path: String?) -> String? {
        guard let path, path.utf8.count <= longestPath,
            path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        return path
    }
}

extension RememberedSessions {
    /// The confirmed sessions come first.
    func prefix(_ length: Int) -> RememberedSessions {
        RememberedSessions(
            confirmed: Array(confirmed.prefix(length)),
            unconfirmed: Array(unconfirmed.prefix(max(0, length - confirmed.count))))
    }

    var count: Int { confirmed.count + unconfirmed.count }
}

/// A process of this machine, with its start time: pids are reused.
struct ProcessInstance: Equatable, Sendable {
    /// 0: none.
    var pid: Int32
    /// Field 22 of /proc/PID/stat, in clock ticks since boot.
    var startTime: UInt64

    static let none = ProcessInstance(pid: 0, startTime: 0)
}

/// The scope of a pid and a start time: one boot of one machine, one pid namespace.
struct BootIdentity: Equatable, Sendable {
    /// /proc/sys/kernel/random/boot_id.
    var bootID: String
    /// The inode number of /proc/self/ns/pid: containers share a boot.
    var pidNamespace: UInt64
}
