/// A request's side of admission: its claim, and what it may cause.
package struct AdmissionRequest: Equatable, Sendable {
    /// The session named by a *verified* cookie, or by the connection's provisional pin.
    package var claim: Claim?
    /// A fresh random id, used if a new session starts; nil: the request must not be pinned.
    package var newSession: SessionID?
    /// The request cannot have a session: it needs a slot, never a session's place.
    ///
    /// Its claim still leads it to the session's own process.
    package var isSessionless = false
    /// Identifies the request in a `TrafficOrder` if it had to wait.
    package var waiter: WaiterTag
    /// Whether the request may cause a start; without it, a request that needs one gets
    /// `needsSpawn`.
    package var maySpawn = true
    /// When the request began to wait elsewhere, for its rank and its timeout; nil: it did not.
    package var waitingSince: MonotonicInstant?

    /// A session and the incarnation that it is pinned to.
    package struct Claim: Equatable, Sendable {
        package var session: SessionID
        package var process: Incarnation
        /// The token is older than `max_age`: it counts only while its session has a live lease.
        package var requiresLease: Bool
        /// The client sent the cookie itself; a connection's provisional pin does not prove that.
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
    /// The request holds a slot of the process until the caller calls `finished`.
    case granted(Grant)
    /// Exactly one `TrafficOrder` follows for its waiter tag, unless the request leaves the queue
    /// first.
    case queued(WaiterTicket)
    case refused(Refusal)
    /// The request needs a process to be started, which it may not cause (`maySpawn`).
    ///
    /// Nothing has changed: the caller may ask again with `maySpawn`.
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
    /// A session may still begin in the request; where session places are limited, it holds one.
    package var reservesPlace = false
    /// The session's lease at the time of the grant.
    package internal(set) var lease: LeaseReference?

    /// The value of `Mooring-Affinity` for the backend.
    package enum Affinity: UInt8, Equatable, Sendable {
        case new
        case kept
        /// The session's process is gone, and the session's state with it.
        case lost
    }

    /// How the request was placed, for the access log.
    ///
    /// `moved`: a session whose process is gone has a new one.
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

/// Why a request is shed; the response is always 503 with Retry-After.
package struct Refusal: Equatable, Sendable {
    /// The word of the access log.
    package static var word: StaticString { "refused" }

    /// The reason.
    package enum Reason: UInt8, Equatable, Sendable {
        /// `queue` is full.
        case queueFull
        /// `process_queue` of the session's process is full.
        case processQueueFull
        /// The request waited for `queue_timeout`.
        case queueTimeout
        /// The group cannot start a process.
        case groupFailing
        /// The session's process is gone and `on_lost = "refuse"`.
        case sessionLost
        /// Mooring is shutting down.
        case shuttingDown
    }

    package var reason: Reason
    /// The value of `Retry-After`, at least 1.
    package var retryAfterSeconds: Int

    package init(reason: Reason, retryAfterSeconds: Int) {
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// How an exchange ended on its process.
package enum ExchangeOutcome: UInt8, Equatable, Sendable {
    /// The process sent a complete response.
    case served
    /// Connecting to the process failed.
    case connectFailed
    /// The process closed early, sent an invalid response or timed out.
    case failed
    /// The client left first, which does not indicate anything about the process.
    case abandoned
}
