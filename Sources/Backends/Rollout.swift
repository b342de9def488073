/// How far a new generation of a group has come.
///
/// `none` -> `starting` -> `none` when it is ready, or `failed`, which stays until the next attempt.
enum Rollout: Equatable, Sendable {
    case none
    /// So many of its processes have to be ready before it takes over; one failure is forgiven.
    case starting(generation: Int, needed: Int, failures: Int)
    /// The generation before serves on.
    case failed(generation: Int, ExitReport?)

    var isStarting: Bool {
        switch self {
        case .starting: true
        case .none, .failed: false
        }
    }

    /// The generation that is starting; nil: none is.
    var generation: Int? {
        switch self {
        case .starting(let generation, _, _): generation
        case .none, .failed: nil
        }
    }
}

/// One replacement: a process that is to go, and the one that is started for it.
struct Recycling: Equatable, Sendable {
    var old: ProcessHandle
    var replacement: ProcessHandle
}
