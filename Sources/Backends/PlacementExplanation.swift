/// Where a request would go, and why: what placement decides, with every process that it looks at.
package struct PlacementExplanation: Equatable, Sendable {
    /// What would become of the request.
    package enum Outcome: Equatable, Sendable {
        case granted(ProcessHandle)
        /// In the queue of its session's process.
        case waitsForProcess(ProcessHandle)
        /// In the group's queue.
        case waits
        case refused(Refusal.Reason)
    }

    /// The rule of placement that decides; the numbers are those of the manual.
    package enum Rule: Int, Equatable, Sendable {
        /// The group takes nobody any more.
        case closed = 0
        /// A session stays on its process.
        case ownProcess = 1
        /// What becomes of a session whose process is gone.
        case lostSession = 2
        /// A process has room.
        case room = 4
        /// No process has room, or the group cannot start one.
        case noRoom = 5
    }

    /// One process that was looked at.
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
        /// Of a generation that takes no sessions yet, or no more.
        case otherGeneration = "other_generation"
        /// Ill, and to be replaced.
        case unhealthy
        case noSlot = "no_slot"
        /// It has `sessions_per_process`, or no more leases can begin.
        case noSessionPlace = "no_session_place"
        /// What seems free may belong to sessions that come back after a restart of the balancer.
        case placesKept = "places_kept"
        /// The first processes of a cold start are waited for.
        case coldStart = "cold_start"
        /// It has room, and others have waited for longer.
        case othersFirst = "others_first"
        /// It has room, and is not one of the permanent ones, which come first.
        case transient
        /// It is above its target load.
        case aboveTarget = "above_target"
        /// It has room, and another one is more suitable by its sessions and requests.
        case lessSuitable = "less_suitable"
    }

    package var outcome: Outcome
    package var rule: Rule
    /// How many requests stand before it in its queue; nil: it does not wait.
    package var position: Int?
    /// A process would be started for it, which `spawns_per_source` counts.
    package var startsProcess: Bool
    /// All living processes, in the order of the group's table.
    package var candidates: [Candidate]
}
