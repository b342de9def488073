/// A promise of the registry that a run has found broken.
package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
    /// Which promise.
    package enum Rule: String, Sendable {
        /// The registry's own check of its state.
        case invariant
        case requestToUnknownProcess
        case requestToDeadProcess
        case requestToStartingProcess
        case requestToStoppingProcess
        case newSessionOnDrainingProcess
        case tooManyRequests
        case tooManySessions
        case sessionMovedWhileItsProcessLives
        /// A request that can have no session began one.
        case sessionForNobody
        case aboveMaximum
        /// A process was replaced though too many were on their way out.
        case tooManyDraining
        /// Of all groups together.
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
        /// Something else was done with a request than had been said.
        case explainedWrongly
        case slotLost
        case unreachableProcessKept
        /// A process went before its replacement was there, or two were replaced at once.
        case replacedTooEarly
        /// A living session is in no record that an adoption would find.
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
    /// What happened last, oldest first.
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
