internal import Glibc

/// The stages of the program's shutdown, and the consequence of each event.
///
/// `serving -> draining -> stopping -> closing` stops the processes too; `serving -> leaving ->
/// closing` leaves them to a successor. A second SIGTERM or SIGINT skips the remaining waits, with
/// an exit code of 1.
struct Shutdown {
    enum Stage: CaseIterable {
        /// To: draining, leaving, killing.
        case serving
        /// Accepts nothing new and finishes requests in flight.
        ///
        /// To: stopping, killing.
        case draining
        /// Like draining, but the processes belong to a successor already.
        ///
        /// To: closing.
        case leaving
        /// The processes were sent SIGTERM.
        ///
        /// To: killing, closing.
        case stopping
        /// The processes were sent SIGKILL.
        ///
        /// To: closing.
        case killing
        /// Only logs are still written.
        ///
        /// Final.
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
        /// Nothing can be served, and never could.
        case nothingToServe
        /// No client connection is left, or the drain timeout has passed.
        case drained
        /// No process is left.
        ///
        /// Sent twice after a hurried shutdown; the first counts.
        case processesGone

        /// Nil: a signal without a meaning here.
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
        /// Finish requests in flight and leave the processes running.
        case leave
        case stopProcesses
        /// Send SIGKILL rather than SIGTERM.
        case killProcesses
        case close
        case reopenLogs
        case reload
    }

    /// What the shutdown waits for.
    enum Wait {
        case nothing, clients, processes
    }

    private(set) var stage = Stage.serving
    /// The program's exit code.
    private(set) var exitCode: Int32 = 0

    var wait: Wait {
        switch stage {
        case .serving, .closing: .nothing
        case .draining, .leaving: .clients
        case .stopping, .killing: .processes
        }
    }

    /// Handles an event, and returns what to do now.
    mutating func handle(_ event: Event) -> Order {
        switch (event, stage) {
        case (.terminate, .serving):
            return move(to: .draining, .drain)
        case (.terminate, .draining), (.terminate, .stopping):
            return hurry(to: .killing, .killProcesses)
        case (.terminate, .leaving):
            // Requests in flight are cut off; the processes belong to a successor.
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

        // The shutdown has begun already.
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

    /// Cuts something off.
    private mutating func hurry(to next: Stage, _ order: Order) -> Order {
        exitCode = 1
        return move(to: next, order)
    }
}
