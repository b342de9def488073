internal import CLinux
internal import Glibc
internal import Reactor

/// Why a child could not be started; nothing of it remains.
struct SpawnFailure: Error, Equatable, Sendable, CustomStringConvertible {
    var errno: Int32
    /// The file or directory concerned.
    var subject: String?
    /// The failed step of the start, in words.
    var step: String
    var advice: String?

    init(errno: Int32, subject: String? = nil, step: String, advice: String? = nil) {
        self.errno = errno
        self.subject = subject
        self.step = step
        self.advice = advice
    }

    init(_ error: SystemError) {
        self.init(errno: error.errno, step: error.call)
    }

    /// A program that is in no folder of the path.
    init(search name: String, path: String, errno: Int32) {
        self.init(errno: errno, subject: name, step: Self.step(ofSearch: path))
    }

    private static func step(ofSearch path: String) -> String { "exec, PATH is \(path)" }

    /// What the spawn shim reported.
    init(_ native: mooring_spawn_failure, of command: ChildProcess.Command) {
        let which = Int(native.which)
        let account = command.isolation.account
        errno = native.error
        switch native.step {
        case MOORING_SPAWN_DIRECTORY:
            subject = command.directory
            step = "cwd"
        case MOORING_SPAWN_EXEC:
            let candidates = command.candidates
            let name = command.arguments.first ?? ""
            let isMissing = native.error == ENOENT || native.error == EACCES
            guard candidates.indices.contains(which), name.contains("/") || !isMissing else {
                subject = name
                step = Self.step(ofSearch: command.path)
                return
            }
            subject = candidates[which]
            step = "exec"
            advice = Self.execAdvice(native.error)
        case MOORING_SPAWN_INTERPRETER:
            let candidates = command.candidates
            subject = candidates.indices.contains(which) ? candidates[which] : nil
            step = "exec"
            advice = "the file exists, but the interpreter or loader that it names does not"
        case MOORING_SPAWN_LIMITS:
            let limits = command.isolation.limits
            let limit = limits.indices.contains(which) ? limits[which] : nil
            subject = limit?.resource.rawValue
            step = "rlimits"
            advice = native.error == EPERM ? Self.limitAdvice(limit) : nil
        case MOORING_SPAWN_GROUPS:
            subject = account?.name
            step = "group"
            advice = native.error == EPERM ? Self.rootAdvice : nil
        case MOORING_SPAWN_USER:
            subject = account?.name
            step = "user"
            advice = native.error == EPERM ? Self.rootAdvice : nil
        case MOORING_SPAWN_REGAIN:
            subject = account?.name
            step = "user"
            advice = "the system lets it become root again"
        case MOORING_SPAWN_MEMORY: step = "memory"
        case MOORING_SPAWN_REPORT: step = "pipe"
        case MOORING_SPAWN_FORK: step = "fork"
        case MOORING_SPAWN_SESSION: step = "setsid"
        case MOORING_SPAWN_NO_NEW_PRIVILEGES: step = "no-new-privileges"
        case MOORING_SPAWN_DESCRIPTORS: step = "descriptors"
        default: step = "spawn"
        }
    }

    /// `No such file or directory: ./app (exec)`.
    var description: String {
        var text = SystemError.message(errno)
        if let subject { text += ": \(subject)" }
        text += " (\(step))"
        if let advice { text += "; \(advice)" }
        return text
    }

    private static func limitAdvice(_ limit: ResourceLimit?) -> String {
        let path = "/proc/sys/fs/nr_open"
        if limit?.resource == .nofile,
            let most = ProcFile.text(path).flatMap({ UInt64($0.filter { $0 != "\n" }) }),
            limit?.value ?? .max > most
        {
            return
                "no process may open more than \(most) files (fs.nr_open); set less, or raise that"
        }
        return "only root may set more than its own limit"
    }

    private static let rootAdvice =
        "Mooring must run as root to start processes as another user, or leave user and group out"

    private static func execAdvice(_ code: Int32) -> String? {
        switch code {
        case ENOEXEC:
            return "it is neither a program nor a script that begins with #!"
        case EAGAIN:
            return "its user has as many processes as its limit (rlimits.nproc) allows"
        default:
            return nil
        }
    }
}
