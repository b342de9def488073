internal import Glibc

/// How far the end of the program has come: what each signal and each finished step leads to.
///
/// `serving -> draining -> stopping -> closing`, or `serving -> leaving -> closing` where the
/// processes are left to a successor. A second SIGTERM or SIGINT skips what is left
/// of the waiting.
struct Shutdown {
    private enum Stage {
        case serving
        /// Nothing new is accepted, what is in flight is finished. To: stopping.
        case draining
        /// As draining, but the processes are somebody else's already. To: closing.
        case leaving
        /// The processes are told to end. To: closing.
        case stopping
        /// Only logs are written. Final.
        case closing
    }

    enum Order: Equatable {
        case none
        case drain
        /// Finish what is in flight and leave the processes as they are.
        case leave
        case stopProcesses
        /// Not only told to end, but made to.
        case killProcesses
        case close
        case reopenLogs
        case reload
    }

    private var stage = Stage.serving
    /// What the program ends with.
    private(set) var exitCode: Int32 = 0
    private var isHurried = false

    /// A signal of this program.
    mutating func received(_ signal: Int32) -> Order {
        switch signal {
        case SIGTERM, SIGINT:
            return end()
        case SIGUSR1:
            return .reopenLogs
        case SIGHUP:
            return stage == .serving ? .reload : .none
        case SIGUSR2:
            return leave()
        default:
            return .none
        }
    }

    /// What the end waits for at the moment.
    enum Wait {
        case nothing, clients, processes
    }

    var wait: Wait {
        switch stage {
        case .serving, .closing: .nothing
        case .draining, .leaving: .clients
        case .stopping: .processes
        }
    }

    /// The processes are somebody else's.
    var isLeaving: Bool { stage == .leaving }

    /// A successor is ready, or the program is to end without its processes.
    ///
    /// - Returns: `leave` once, `none` when the end has begun already.
    mutating func leave() -> Order {
        guard stage == .serving else { return .none }
        stage = .leaving
        return .leave
    }

    /// There is nothing to serve and never was; the code to end with is 1.
    mutating func giveUp() -> Order {
        guard stage == .serving else { return .none }
        isHurried = true
        exitCode = 1
        stage = .stopping
        return .killProcesses
    }

    /// No client connection is left.
    mutating func drained() -> Order {
        switch stage {
        case .draining:
            stage = .stopping
            return .stopProcesses
        case .leaving:
            stage = .closing
            return .close
        case .serving, .stopping, .closing:
            return .none
        }
    }

    /// No process is left.
    ///
    /// Told twice after a hurried end, of which the first counts.
    mutating func processesGone() -> Order {
        guard stage == .stopping else { return .none }
        stage = .closing
        return .close
    }

    private mutating func end() -> Order {
        switch stage {
        case .serving:
            stage = .draining
            return .drain
        case .draining, .stopping:
            guard !isHurried else { return .none }
            isHurried = true
            exitCode = 1
            stage = .stopping
            return .killProcesses
        case .leaving:
            // What is in flight is cut off; the processes are not ours any more.
            exitCode = 1
            stage = .closing
            return .close
        case .closing:
            return .none
        }
    }
}
