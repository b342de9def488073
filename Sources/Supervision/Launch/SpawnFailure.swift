internal import CLinux
internal import Glibc
internal import Reactor

/// Why a child could not be started; nothing of it is left.
struct SpawnFailure: Error, Equatable, Sendable, CustomStringConvertible {
    var errno: Int32
    /// The file or directory that it is about.
    var subject: String?
    /// The step of the start that failed, in words.
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

    /// What the spawn shim reported.
    init(_ native: mooring_spawn_failure, of command: ChildProcess.Command, executable: String) {
        let directory = command.directory
        let account = command.isolation.account
        errno = native.error
        switch native.step {
        case MOORING_SPAWN_DIRECTORY:
            subject = directory
            step = "cwd"
        case MOORING_SPAWN_EXEC:
            subject = executable
            step = "exec"
            advice = Self.execAdvice(native.error, executable, directory)
        case MOORING_SPAWN_LIMITS:
            let limits = command.isolation.limits
            let place = Int(native.limit)
            subject = limits.indices.contains(place) ? limits[place].resource.rawValue : nil
            step = "rlimits"
            advice = native.error == EPERM ? "only root may set more than its own limit" : nil
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

    private static let rootAdvice =
        "Mooring must run as root to start processes as another user, or leave user and group out"

    private static func execAdvice(
        _ code: Int32, _ executable: String, _ directory: String
    ) -> String? {
        switch code {
        case ENOENT:
            let file = executable.hasPrefix("/") ? executable : "\(directory)/\(executable)"
            return unsafe access(file, F_OK) == 0
                ? "the file exists, but the interpreter or loader that it names does not" : nil
        case ENOEXEC:
            return "it is neither a program nor a script that begins with #!"
        case EAGAIN:
            return "its user has as many processes as its limit (rlimits.nproc) allows"
        default:
            return nil
        }
    }
}
