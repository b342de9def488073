/// A group at one instant, for `/stats`, `/metrics` and `mooring status`.
package struct GroupSnapshot: Equatable, Sendable {
    /// The group's health.
    package enum State: String, Equatable, Sendable, CaseIterable {
        case ok
        case starting
        /// Every session place is taken, and no further process may be started.
        case full
        case failing
        case stopped
    }

    /// What prevents a new session from being placed at once.
    package enum Obstacle: Equatable, Sendable {
        case noneReady
        /// The first processes are starting, and new sessions wait for more of them to be ready.
        case coldStart
        /// Other requests wait already.
        case queue
        case slots
        case sessionPlaces
        case stopped
    }

    /// The last failed start or crash.
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
    /// How long a start has waited because `max_processes` are running; nil: none waits.
    package var roomless: Interval?
    /// How often a process was wanted but `max` prevented it.
    package var limitReachedTotal: UInt64
    package var processes: [ProcessSnapshot]
    /// Sessions beyond the capacity of the lease table: served, but they keep no process alive.
    package var sessionsWithoutLeaseTotal: UInt64 = 0
    /// Unconfirmed sessions that were evicted because another needed their place or lease.
    package var sessionsGivenWayTotal: UInt64 = 0
    /// Live sessions whose cookie the client has never sent back.
    package var sessionsUnconfirmed = 0
    package var isLeaseTableFull = false
    /// A generation that is starting or failed to start.
    package var rollout: Rollout?
    /// Sessions on processes that are out of service.
    package var drainingSessions = 0
    package var startFailuresTotal: UInt64 = 0
    /// Time from the start of a process to its readiness.
    package var startDurations = DurationHistogram()
    /// The names of servers that have no address yet.
    package var unresolved: [String] = []
    /// Why a new session would have to wait, or be refused; nil: it would be placed at once.
    package var obstacle: Obstacle?

    /// The progress of a new generation.
    package struct Rollout: Equatable, Sendable {
        /// Its state so far.
        package enum State: String, Equatable, Sendable {
            case starting
            case failed
        }

        package var generation: Int
        package var state: State
        package var report: ExitReport?
    }
}

/// A process at one instant.
package struct ProcessSnapshot: Equatable, Sendable {
    /// The phase of the process's life.
    package enum State: String, Equatable, Sendable {
        case starting
        case ready
        case draining
        case stopping
        /// External servers only.
        case down
    }

    package var handle: ProcessHandle
    /// The public name, not the id in the cookie; empty until spawned.
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
    /// Nil: it is not ready yet, is a server, or was started by an earlier balancer.
    package var readyAfter: Interval?
    package var idle: Interval
    package var tunnels = 0
    /// How many concurrent requests it may have now.
    package var slots = 0
    /// More about an external server; nil: a process of Mooring's.
    package var server: ServerSnapshot?
    /// The text of its last `STATUS=`.
    package var statusText = ""
    package var isBusy = false
    /// Why it is going out of service; nil: it is not.
    package var stopReason: StopReason?
    /// How long at most it is kept for sessions from before a restart that may return; nil: it is
    /// not.
    package var keptFor: Interval?
    /// How long it still waits for its sessions; nil: it is not draining.
    package var drainLeft: Interval?
}

/// What only external servers have, at one instant.
package struct ServerSnapshot: Equatable, Sendable {
    package var weight: Int
    /// The part of its weight and slots that it has in a slow start, up to 1.
    package var share: Double
    /// Until it has the whole; nil: it has.
    package var slowStartLeft: Interval?
    /// How often it went out of service.
    package var outagesTotal: UInt64
    package var failedChecksTotal: UInt64
}
