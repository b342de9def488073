package import Backends

/// What remains of an exchange that was abandoned while its process works on it.
///
/// The process does not notice, or does not react, and its thread is busy until it is done: the
/// slot stays taken until the process has responded, has closed its side of the connection, or has
/// used up its time. Times are monotonic, in nanoseconds.
package struct LeftBehind: Equatable, Sendable {
    /// How long a process may take to close its side if no `request_timeout` is set.
    private static let patience = Interval.seconds(300)
    /// How many more bytes it may send.
    private static let lastBytes = 64 * 1024

    /// Returned with `outcome` when the process is done.
    package let slot: ExchangeMachine.SlotReturn
    package let outcome: ExchangeOutcome
    /// A waiting client would have been answered with a timeout by now.
    package let isOverdue: Bool
    /// The process sees the end of the request: its body is complete or never will be.
    package let endsRequest: Bool
    /// When the slot is returned in any case.
    private let endsAt: Int64
    /// When a waiting client would have been answered with a timeout; `Int64.max`: that is counted
    /// already, or there is no such time.
    private var overdueAt: Int64
    /// Bytes received from the process since.
    private var receivedBytes = 0

    /// - Parameters:
    ///   - deadline: for the process's response, as for a client that had stayed.
    ///   - limit: the end of the request's time; `Int64.max`: none.
    init(
        _ slot: ExchangeMachine.SlotReturn, _ outcome: ExchangeOutcome, awaitsAnswer: Bool,
        endsRequest: Bool, deadline: Int64, limit: Int64, now: Int64
    ) {
        self.slot = slot
        self.endsRequest = endsRequest || slot.isTunnel
        let isLate = outcome == .failed
        isOverdue = isLate && !slot.isTunnel
        // If overdue, the failure is counted already.
        self.outcome = isOverdue ? .abandoned : outcome
        endsAt = min(limit, now &+ Self.patience.nanoseconds)
        overdueAt = awaitsAnswer && !isLate ? deadline : .max
    }

    /// When to call `timedOut`.
    package var deadline: Int64 { min(endsAt, overdueAt) }

    /// The next action after more bytes from the process.
    package enum Reception: Equatable, Sendable {
        /// Its first bytes: it gets a moment to finish.
        case first
        case more
        /// It sends too much.
        case tooMuch
    }

    /// The process has sent more bytes, which are discarded.
    package mutating func received(_ count: Int) -> Reception {
        let isFirst = receivedBytes == 0
        receivedBytes += count
        return receivedBytes > Self.lastBytes ? .tooMuch : isFirst ? .first : .more
    }

    /// The next action when the process has not finished in time.
    package enum Timeout: Equatable, Sendable {
        /// Keep waiting, until `deadline`.
        case wait
        case close
        /// It hangs, and the group has a `request_timeout`.
        case closeAndReplace
    }

    /// The deadline has passed.
    ///
    /// A process that hangs must be noticed even if clients do not wait for it.
    ///
    /// - Parameter isBounded: whether the group has a `request_timeout`.
    /// - Returns: the next action, and whether the process has just become overdue.
    package mutating func timedOut(isBounded: Bool, now: Int64) -> (Timeout, isOverdue: Bool) {
        guard receivedBytes == 0 else { return (.close, false) }
        let isLast = endsAt <= now
        let isOverdue = overdueAt != .max && (overdueAt <= now || isLast && isBounded)
        if isOverdue { overdueAt = .max }
        if !isLast { return (.wait, isOverdue) }
        return (isBounded ? .closeAndReplace : .close, isOverdue)
    }
}

extension ExchangeMachine {
    /// Whether the process works on the request, though its client has gone.
    ///
    /// - Parameters:
    ///   - sentAny: whether part of the request was handed to the kernel.
    ///   - hasClosed: whether the process has closed its side of the connection.
    package func isAtWork(sentAny: Bool, hasClosed: Bool, now: Int64) -> Bool {
        holdsSlot && sentAny && !hasClosed && clock.deadline > now
    }

    /// Leaves the slot to the connection; only for an exchange that `isAtWork`.
    ///
    /// - Parameter deadline: for the process's response.
    package mutating func leaveBehind(
        _ outcome: ExchangeOutcome, deadline: Int64, now: Int64
    ) -> LeftBehind {
        assert(holdsSlot, "a process that works on a request has a slot for it")
        return LeftBehind(
            returnSlot(), outcome, awaitsAnswer: awaitsAnswer,
            endsRequest: request.phase != .done, deadline: deadline, limit: clock.deadline, now: now
        )
    }
}
