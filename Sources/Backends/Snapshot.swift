/// A group as it is at one instant, for `/stats`, `/metrics` and `mooring status`.
package struct GroupSnapshot: Equatable, Sendable {
    /// How the group fares.
    package enum State: String, Equatable, Sendable, CaseIterable {
        case ok
        case starting
        /// Every place for a session is taken, and no further process may be started.
        case full
        case failing
        case stopped
    }

    /// What keeps a new session from being placed at once.
    package enum Obstacle: Equatable, Sendable {
        case noneReady
        /// The first processes are starting, and new sessions wait for more of them to be ready.
        case coldStart
        /// Requests wait already.
        case queue
        case slots
        case sessionPlaces
        case stopped
    }

    /// The last start that failed, or crash.
    package struct Failure: Equatable, Sendable {
        package var at: MonotonicInstant
        package var report: ExitReport
    }

    package var name: String
    package var isSpawned: Bool
    package var state: State
    package var generation: Int
    package var minimum: Int
    package var maximum: Int
    package var threads: Int
    package var queueLength: Int
    package var queueLimit: Int
    package var queueOldest: Interval
    package var queueRejectedTotal: UInt64
    package var queueTimedOutTotal: UInt64
    package var sessionsLive: Int
    package var sessionsCreatedTotal: UInt64
    package var sessionsMovedTotal: UInt64
    package var sessionsLostTotal: UInt64
    package var starting: Int
    package var spawnedTotal: UInt64
    package var failuresInARow: Int
    package var backoff: Interval
    package var lastFailure: Failure?
    /// How long a start has waited with `max_processes` running; nil: none does.
    package var roomless: Interval?
    /// How often a process was wanted and `max` forbade it.
    package var limitReachedTotal: UInt64
    package var processes: [ProcessSnapshot]
    /// Sessions beyond what the table of leases holds: served, but they keep no process alive.
    package var sessionsWithoutLeaseTotal: UInt64 = 0
    /// Unconfirmed sessions whose place or lease another one needed.
    package var sessionsGivenWayTotal: UInt64 = 0
    /// Live ones whose cookie the client has never sent back.
    package var sessionsUnconfirmed = 0
    package var isLeaseTableFull = false
    /// A generation that is starting, or did not start.
    package var rollout: Rollout?
    /// Sessions on processes that are out of service.
    package var drainingSessions = 0
    package var startFailuresTotal: UInt64 = 0
    /// From the start of a process to its being ready.
    package var startDurations = DurationHistogram()
    /// Why a new session would have to wait, or be refused; nil: it would be placed at once.
    package var obstacle: Obstacle?

    /// How far a new generation has come.
    package struct Rollout: Equatable, Sendable {
        /// What became of it so far.
        package enum State: String, Equatable, Sendable {
            case starting
            case failed
        }

        package var generation: Int
        package var state: State
        package var report: ExitReport?
    }
}

/// A process as it is at one instant.
package struct ProcessSnapshot: Equatable, Sendable {
    /// Where the process is in its life.
    package enum State: String, Equatable, Sendable {
        case starting
        case ready
        case draining
        case stopping
        /// External servers only.
        case down
    }

    package var handle: ProcessHandle
    /// The public name, not what the cookie holds; empty until spawned.
    package var label: String
    package var pid: Int32?
    package var state: State
    package var reason: SpawnReason?
    package var generation: Int
    package var transient: Bool
    package var address: ProcessAddress?
    package var inFlight: Int
    package var queued: Int
    package var sessions: Int
    package var requestsTotal: UInt64
    package var errorsTotal: UInt64
    package var startedAt: MonotonicInstant
    package var readyAfter: Interval?
    package var idle: Interval
    package var tunnels = 0
    /// Its own words (`STATUS=`).
    package var statusText = ""
    package var isBusy = false
    /// Why it is on its way out; nil: it is not.
    package var stopReason: StopReason?
    /// How long it is kept at most for sessions from before a restart that may come back; nil: it is
    /// not.
    package var keptFor: Interval?
    /// How long it still waits for its sessions; nil: it is not draining.
    package var drainLeft: Interval?
}
