/// Where a request would go, and why: the decision, with every process considered.
package struct PlacementExplanation: Equatable, Sendable {
    /// The result for the request.
    package enum Outcome: Equatable, Sendable {
        case granted(ProcessHandle)
        /// It would wait in the queue of its session's process.
        case waitsForProcess(ProcessHandle)
        /// It would wait in the group's queue.
        case waits
        case refused(Refusal.Reason)
    }

    /// The placement rule that decides; the numbers are those of the manual.
    package enum Rule: Int, Equatable, Sendable {
        /// The group accepts no requests.
        case closed = 0
        /// A session stays on its process.
        case ownProcess = 1
        /// The session's process is gone.
        case lostSession = 2
        /// A process has room.
        case room = 4
        /// No process has room, or the group cannot start one.
        case noRoom = 5
    }

    /// A process that was considered.
    package struct Candidate: Equatable, Sendable {
        package var process: ProcessHandle
        package var verdict: Verdict
    }

    /// Why a process was chosen or not; the first reason counts.
    package enum Verdict: String, Equatable, Sendable, CaseIterable {
        case chosen
        /// The request belongs to a session of another process.
        case notOwn = "not_own"
        case starting
        case draining
        case stopping
        case down
        /// Its generation does not take sessions yet, or no longer does.
        case otherGeneration = "other_generation"
        /// Failing, and about to be replaced.
        case unhealthy
        case noSlot = "no_slot"
        /// It has `sessions_per_process`, or the lease table is full.
        case noSessionPlace = "no_session_place"
        /// Apparently free places may belong to sessions that return after a restart of the
        /// balancer.
        case placesKept = "places_kept"
        /// The group waits for the first processes of a cold start.
        case coldStart = "cold_start"
        /// It has room, but others have waited longer.
        case othersFirst = "others_first"
        /// It has room, but permanent processes come first.
        case transient
        /// It is above its target load.
        case aboveTarget = "above_target"
        /// It has room, but another process has fewer sessions and requests, or more for `pack`.
        case lessSuitable = "less_suitable"
    }

    package var outcome: Outcome
    package var rule: Rule
    /// The number of requests before it in its queue; nil: it would not wait.
    package var position: Int?
    /// Whether a process would be started for it, which `spawns_per_source` counts.
    package var startsProcess: Bool
    /// All living processes, in the order of the group's table.
    package var candidates: [Candidate]
}
