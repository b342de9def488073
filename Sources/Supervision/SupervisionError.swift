package import Reactor

/// Why supervision cannot start; each text includes the remedy.
package enum SupervisionError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The runtime directory cannot be created or is not safe to use.
    case runtimeDirectory(path: String, problem: String)
    /// The state directory is not safe to use: other users may write to it.
    case stateDirectory(path: String, problem: String)
    /// Its sockets would not fit into a socket address.
    case socketPathTooLong(path: String, bytes: Int)
    /// Supervision adopts every stray descendant of this program, so only one can run at a time.
    case alreadyRunning
    case system(SystemError)

    package var description: String {
        switch self {
        case .runtimeDirectory(let path, let problem):
            "the runtime directory \(path) cannot be used: \(problem); "
                + "set runtime_dir to a directory of Mooring's own"
        case .stateDirectory(let path, let problem):
            "the state directory \(path) cannot be used: \(problem); "
                + "set state_dir to a directory of Mooring's own"
        case .socketPathTooLong(let path, let bytes):
            "a socket in the runtime directory \(path) would have a path of \(bytes) bytes, and "
                + "a unix socket's path has at most 107; set runtime_dir to a shorter path"
        case .alreadyRunning:
            "processes are already being supervised in this program"
        case .system(let error):
            "supervision cannot start: \(error)"
        }
    }

    init(runtimeDirectory problem: PrivateDirectory.Problem) {
        self = .runtimeDirectory(path: problem.path, problem: problem.sentence)
    }

    init(stateDirectory problem: PrivateDirectory.Problem) {
        self = .stateDirectory(path: problem.path, problem: problem.sentence)
    }
}
