internal import Glibc

/// How far the end of the program has come: what each signal and each finished step leads to.
///
/// `serving -> draining -> stopping -> closing`. A second SIGINT skips what is left of the waiting.
struct Shutdown {
    private enum Stage {
        case serving
        /// Nothing new is accepted, what is in flight is finished. To: stopping.
        case draining
        /// The processes are told to end. To: closing.
        case stopping
        /// Only logs are written. Final.
        case closing
    }

    enum Order: Equatable {
        case none
        case drain
        case stopProcesses
        /// Not only told to end, but made to.
        case killProcesses
        case close
        case reopenLogs
        case explainReload
        case explainTakeover
    }

    private var stage = Stage.serving
    /// What the program ends with.
    private(set) var exitCode: Int32 = 0
    private var isHurried = false

    /// A signal of this program.
    mutating func received(_ signal: Int32) -> Order {
        switch signal {
        case SIGTERM, SIGINT:
            return end(again: signal == SIGINT)
        case SIGUSR1:
            return .reopenLogs
        case SIGHUP:
            return .explainReload
        case SIGUSR2:
            return .explainTakeover
        default:
            return .none
        }
    }

    /// No client connection is left.
    mutating func drained() -> Order {
        guard stage == .draining else { return .none }
        stage = .stopping
        return .stopProcesses
    }

    /// No process is left.
    ///
    /// Told twice after a hurried end, of which the first counts.
    mutating func processesGone() -> Order {
        guard stage == .stopping else { return .none }
        stage = .closing
        return .close
    }

    /// - Parameter again: whether this signal, coming a second time, ends the waiting.
    private mutating func end(again: Bool) -> Order {
        switch stage {
        case .serving:
            stage = .draining
            return .drain
        case .draining, .stopping:
            guard again, !isHurried else { return .none }
            isHurried = true
            exitCode = 1
            stage = .stopping
            return .killProcesses
        case .closing:
            return .none
        }
    }
}
