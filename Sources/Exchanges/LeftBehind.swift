package import Backends

/// What is left of an exchange that was given up while its process works on it.
///
/// The process does not know, or does not care, and its thread is busy until it is done: its slot stays
/// taken until it has answered, has ended its side of the connection, or has had its time. Times are those of
/// the monotonic clock, in nanoseconds.
package struct LeftBehind: Equatable, Sendable {
    /// How long a process may take to end its side, where no `request_timeout` says so.
    private static let patience = Interval.seconds(300)
    /// How much it may go on to say.
    private static let lastBytes = 64 * 1024

    /// Goes back with `outcome` when the process is done.
    package let slot: ExchangeMachine.SlotReturn
    package let outcome: ExchangeOutcome
    /// A client that had stayed would have been told by now that there is no answer.
    package let isOverdue: Bool
    /// The process sees the end of the request: its body is over or never will be.
    package let endsRequest: Bool
    /// When its slot is given back in any case.
    private let endsAt: Int64
    /// When a client that had stayed would have been told that there is no answer; `Int64.max`: that is
    /// counted already, or nobody would.
    private var overdueAt: Int64
    /// Bytes that the process has said since.
    private var spoken = 0

    /// - Parameters:
    ///   - deadline: Of the process's answer, for a client that had stayed.
    ///   - limit: The end of the request's time; `Int64.max`: none.
    init(
        _ slot: ExchangeMachine.SlotReturn, _ outcome: ExchangeOutcome, awaitsAnswer: Bool,
        endsRequest: Bool, deadline: Int64, limit: Int64, now: Int64
    ) {
        self.slot = slot
        self.endsRequest = endsRequest || slot.isTunnel
        let isLate = outcome == .failed
        isOverdue = isLate && !slot.isTunnel
        // That it does not answer is known already when it ends.
        self.outcome = isOverdue ? .abandoned : outcome
        endsAt = min(limit, now &+ Self.patience.nanoseconds)
        overdueAt = awaitsAnswer && !isLate ? deadline : .max
    }

    /// When `timedOut` is to be called.
    package var deadline: Int64 { min(endsAt, overdueAt) }

    /// What follows on more bytes of the process.
    package enum Speech: Equatable, Sendable {
        /// Its first: it has a moment for its last words.
        case first
        case more
        /// It goes on for too long.
        case tooMuch
    }

    /// The process has said more, which is thrown away.
    package mutating func said(_ count: Int) -> Speech {
        let isFirst = spoken == 0
        spoken += count
        return spoken > Self.lastBytes ? .tooMuch : isFirst ? .first : .more
    }

    /// What follows when the process has not ended in time.
    package enum Timeout: Equatable, Sendable {
        /// It is waited for on, until `deadline`.
        case wait
        case close
        /// It hangs, and the group says how long a request may take.
        case closeAndReplace
    }

    /// The deadline has passed.
    ///
    /// That clients do not wait for a process must not hide that it hangs.
    ///
    /// - Parameter isBounded: The group has a `request_timeout`.
    /// - Returns: What follows, and whether the process has just turned out to be overdue.
    package mutating func timedOut(isBounded: Bool, now: Int64) -> (Timeout, isOverdue: Bool) {
        guard spoken == 0 else { return (.close, false) }
        let isLast = endsAt <= now
        let isOverdue = overdueAt != .max && (overdueAt <= now || isLast && isBounded)
        if isOverdue { overdueAt = .max }
        if !isLast { return (.wait, isOverdue) }
        return (isBounded ? .closeAndReplace : .close, isOverdue)
    }
}

extension ExchangeMachine {
    /// Whether the process works on the request, though nobody waits for it any more.
    ///
    /// - Parameters:
    ///   - sentAny: Something of the request has been handed to the kernel.
    ///   - hasClosed: The process has ended its side of the connection.
    package func isAtWork(sentAny: Bool, hasClosed: Bool, now: Int64) -> Bool {
        holdsSlot && sentAny && !hasClosed && clock.deadline > now
    }

    /// Leaves the slot to the connection; only of an exchange that `isAtWork`.
    ///
    /// - Parameter deadline: Of the process's answer.
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
