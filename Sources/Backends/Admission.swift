/// What a request brings to the registry.
package struct AdmissionRequest: Equatable, Sendable {
    /// What a *verified* cookie (or the connection's provisional pin) names.
    package var claim: Claim?
    /// A fresh random id, used if a new session starts; nil: the request is not to be pinned.
    package var newSession: SessionID?
    /// The request can have no session: it needs a slot, never a session's place.
    ///
    /// Its claim leads it to the session's own process all the same.
    package var isSessionless = false
    /// Comes back in `TrafficOrder` when the request had to wait.
    package var waiter: WaiterTag
    /// Without it a request that would make a process be started comes back as `needsSpawn`.
    package var maySpawn = true
    /// Since when it has waited elsewhere, which counts for its rank and its time; nil: it has not.
    package var waitingSince: MonotonicInstant?

    /// A session and the incarnation that it was pinned to.
    package struct Claim: Equatable, Sendable {
        package var session: SessionID
        package var process: Incarnation
        /// The token is past its age: it counts only while its session has a live lease.
        package var requiresLease: Bool
        /// The client itself has sent the cookie; a connection's provisional pin says nothing of that.
        package var isFromClient: Bool

        package init(
            session: SessionID, process: Incarnation, requiresLease: Bool = false,
            isFromClient: Bool = true
        ) {
            self.session = session
            self.process = process
            self.requiresLease = requiresLease
            self.isFromClient = isFromClient
        }
    }

    package init(claim: Claim?, newSession: SessionID?, waiter: WaiterTag) {
        self.claim = claim
        self.newSession = newSession
        self.waiter = waiter
    }
}

/// The registry's answer to a request.
package enum Admission: Equatable, Sendable {
    /// The request holds a slot of the process until `finished` is called for it.
    case granted(Grant)
    /// A `TrafficOrder` for its waiter tag follows, exactly one, unless it leaves the queue first.
    case queued(WaiterTicket)
    case refused(Refusal)
    /// A process would have to be started for it, which it may not ask for (`maySpawn`).
    ///
    /// Nothing has changed: it may ask again, with leave to.
    case needsSpawn
}

/// A slot on a process, and the session that it was given for.
package struct Grant: Equatable, Sendable {
    package var process: ProcessHandle
    package var incarnation: Incarnation
    /// The session pinned to the process; nil: not pinned.
    package var session: SessionID?
    package var affinity: Affinity
    package var placed: Placed
    /// A session may still begin in the request: where sessions have places, it holds one.
    package var reservesPlace = false
    /// The session's lease as it was when the slot was granted.
    var lease: LeaseReference?

    /// What the backend is told in `Mooring-Affinity`.
    package enum Affinity: UInt8, Equatable, Sendable {
        case new
        case kept
        /// The session's process is gone and its state with it.
        case lost
    }

    /// What was done, for the access log.
    ///
    /// `moved`: a session whose process was gone has a new one.
    package enum Placed: UInt8, Equatable, Sendable {
        case kept
        case pinned
        case moved
        case unpinned

        /// The word of the access log.
        package var word: StaticString {
            switch self {
            case .kept: "kept"
            case .pinned: "pinned"
            case .moved: "moved"
            case .unpinned: "unpinned"
            }
        }
    }

    package init(
        process: ProcessHandle, incarnation: Incarnation, session: SessionID?,
        affinity: Affinity, placed: Placed
    ) {
        self.process = process
        self.incarnation = incarnation
        self.session = session
        self.affinity = affinity
        self.placed = placed
    }
}

/// Why a request is shed; each is a 503 with Retry-After.
package struct Refusal: Equatable, Sendable {
    /// The word of the access log.
    package static var word: StaticString { "refused" }

    /// What stood in the way.
    package enum Reason: UInt8, Equatable, Sendable {
        /// `queue` is full.
        case queueFull
        /// `process_queue` of the session's process is full.
        case processQueueFull
        /// Waited for `queue_timeout`.
        case queueTimeout
        /// The group cannot start a process.
        case groupFailing
        /// `on_lost = "refuse"` and the session's process is gone.
        case sessionLost
        /// Mooring is shutting down.
        case shuttingDown
    }

    package var reason: Reason
    /// For `Retry-After`, at least 1.
    package var retryAfterSeconds: Int

    package init(reason: Reason, retryAfterSeconds: Int) {
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// How an exchange ended on its process.
package enum ExchangeOutcome: UInt8, Equatable, Sendable {
    /// A whole response came from the process.
    case served
    /// No connection to the process could be made.
    case connectFailed
    /// The process broke off, answered nonsense or not in time.
    case failed
    /// The client left first; says nothing about the process.
    case abandoned
}
