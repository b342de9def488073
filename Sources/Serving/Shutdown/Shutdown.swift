internal import Glibc

/// How far the end of the program has come, and what each event leads to.
///
/// `serving -> draining -> stopping -> closing` ends the processes too; `serving -> leaving -> closing`
/// leaves them to a successor. A second SIGTERM or SIGINT skips what is left of the waiting, which is an
/// exit code of 1.
struct Shutdown {
    enum Stage: CaseIterable {
        /// To: draining, leaving, killing.
        case serving
        /// Nothing new is accepted, what is in flight is finished. To: stopping, killing.
        case draining
        /// As draining, but the processes are a successor's already. To: closing.
        case leaving
        /// The processes are asked to end. To: killing, closing.
        case stopping
        /// The processes are made to end. To: closing.
        case killing
        /// Only logs are written. Final.
        case closing
    }

    enum Event: CaseIterable {
        /// SIGTERM or SIGINT.
        case terminate
        /// SIGUSR2, or a successor that is ready.
        case leave
        /// SIGHUP.
        case reload
        /// SIGUSR1.
        case reopenLogs
        /// There is nothing to serve and never was.
        case nothingToServe
        /// No client connection is left, or their time is up.
        case drained
        /// No process is left. It comes twice after a hurried end, of which the first counts.
        case processesGone

        /// Nil: a signal that means nothing here.
        init?(signal: Int32) {
            switch signal {
            case SIGTERM, SIGINT: self = .terminate
            case SIGUSR2: self = .leave
            case SIGHUP: self = .reload
            case SIGUSR1: self = .reopenLogs
            default: return nil
            }
        }
    }

    enum Order {
        case none
        case drain
        /// Finish what is in flight and leave the processes as they are.
        case leave
        case stopProcesses
        /// Not only asked to end, but made to.
        case killProcesses
        case close
        case reopenLogs
        case reload
    }

    /// What the end waits for at the moment.
    enum Wait {
        case nothing, clients, processes
    }

    private(set) var stage = Stage.serving
    /// What the program ends with.
    private(set) var exitCode: Int32 = 0

    var wait: Wait {
        switch stage {
        case .serving, .closing: .nothing
        case .draining, .leaving: .clients
        case .stopping, .killing: .processes
        }
    }

    /// Moves on, and says what is to be done now.
    mutating func handle(_ event: Event) -> Order {
        switch (event, stage) {
        case (.terminate, .serving):
            return move(to: .draining, .drain)
        case (.terminate, .draining), (.terminate, .stopping):
            return hurry(to: .killing, .killProcesses)
        case (.terminate, .leaving):
            // What is in flight is cut off; the processes are a successor's.
            return hurry(to: .closing, .close)

        case (.leave, .serving):
            return move(to: .leaving, .leave)
        case (.nothingToServe, .serving):
            return hurry(to: .killing, .killProcesses)

        case (.drained, .draining):
            return move(to: .stopping, .stopProcesses)
        case (.drained, .leaving):
            return move(to: .closing, .close)
        case (.processesGone, .stopping), (.processesGone, .killing):
            return move(to: .closing, .close)

        case (.reload, .serving):
            return .reload
        case (.reopenLogs, .serving), (.reopenLogs, .draining), (.reopenLogs, .leaving),
            (.reopenLogs, .stopping), (.reopenLogs, .killing), (.reopenLogs, .closing):
            return .reopenLogs

        // The end has begun already, and goes its way.
        case (.leave, .draining), (.leave, .leaving), (.leave, .stopping), (.leave, .killing),
            (.leave, .closing), (.reload, .draining), (.reload, .leaving), (.reload, .stopping),
            (.reload, .killing), (.reload, .closing), (.nothingToServe, .draining),
            (.nothingToServe, .leaving), (.nothingToServe, .stopping), (.nothingToServe, .killing),
            (.nothingToServe, .closing), (.terminate, .killing), (.terminate, .closing):
            return .none
        // Skipped, or not begun.
        case (.drained, .serving), (.drained, .stopping), (.drained, .killing),
            (.drained, .closing),
            (.processesGone, .serving), (.processesGone, .draining), (.processesGone, .leaving),
            (.processesGone, .closing):
            return .none
        }
    }

    private mutating func move(to next: Stage, _ order: Order) -> Order {
        stage = next
        return order
    }

    /// Something is cut off.
    private mutating func hurry(to next: Stage, _ order: Order) -> Order {
        exitCode = 1
        return move(to: next, order)
    }
}
