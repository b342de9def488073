/// The progress of a new generation of a group.
///
/// `none` -> `starting` -> `none` when it is ready, or `failed`, which stays until the next
/// attempt.
enum Rollout: Equatable, Sendable {
    case none
    /// `needed` processes must be ready before it takes over; one failure is forgiven.
    case starting(generation: Int, needed: Int, failures: Int)
    /// The earlier generation continues to serve.
    case failed(generation: Int, ExitReport?)

    var isStarting: Bool {
        switch self {
        case .starting: true
        case .none, .failed: false
        }
    }

    /// The number of the starting generation; nil: none is starting.
    var generation: Int? {
        switch self {
        case .starting(let generation, _, _): generation
        case .none, .failed: nil
        }
    }
}

/// One replacement: the process to stop, and the one started for it.
struct Recycling: Equatable, Sendable {
    var old: ProcessHandle
    var replacement: ProcessHandle
}
