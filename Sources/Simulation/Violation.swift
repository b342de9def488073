/// A promise of the registry that a run has violated.
package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
    /// Which promise.
    package enum Rule: String, Sendable {
        /// The registry's own invariants.
        case invariant
        case requestToUnknownProcess
        case requestToDeadProcess
        case requestToStartingProcess
        case requestToStoppingProcess
        case newSessionOnDrainingProcess
        case tooManyRequests
        case tooManySessions
        case sessionMovedWhileItsProcessLives
        /// A request that cannot have a session began one.
        case sessionForSessionlessRequest
        case aboveMaximum
        /// A process was replaced though too many were draining.
        case tooManyDraining
        /// Over all groups together.
        case aboveBudget
        /// A group keeps an idle process that another one needs.
        case roomWithheld
        case belowMinimum
        case stoppedWhileNeeded
        case startedTwice
        case startedTooManyAfterFailure
        case answeredTwice
        case waiterLost
        case ticketLost
        case refusedWithoutReason
        /// The registry acted on a request differently than it had explained.
        case explainedWrongly
        case slotLost
        case unreachableProcessKept
        /// A process stopped before its replacement was ready, or two were replaced at once.
        case replacedTooEarly
        /// A living session is missing from the record that an adoption would read.
        case sessionNotRemembered
        case deadlineStandsStill
        case sessionOutlivesItsTime
        case idleProcessKept
        case notStopped
    }

    package var rule: Rule
    package var detail: String
    package var seed: UInt64 = 0
    package var step = 0
    /// The latest events, oldest first.
    package var history: [String] = []

    init(_ rule: Rule, _ detail: String) {
        self.rule = rule
        self.detail = detail
    }

    package var description: String {
        let events = history.map { "  \($0)\n" }.joined()
        return "seed \(seed), step \(step): \(rule.rawValue): \(detail)\n\(events)"
    }
}
