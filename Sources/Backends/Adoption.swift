/// A process of an earlier balancer, from its state file and the system's process table.
package struct AdoptedProcess: Equatable, Sendable {
    package var incarnation: Incarnation
    package var label: String
    package var pid: Int32
    package var address: ProcessAddress
    package var generation: Int
    /// It was launched with settings that have changed since: it drains as an older generation.
    package var isStale: Bool
    package var wasReady: Bool
    /// It was draining, and continues to.
    package var wasDraining: Bool
    /// It was so because its group had left the configuration: where that is back it serves again.
    package var wasRetired: Bool
    /// When its last sessions were to be given up; nil: it was in service, or nobody knows.
    package var drainUntil: MonotonicInstant?
    /// Whether it had sessions; nil: nobody knows.
    package var hadSessions: Bool?
    /// The longest idle time granted to one of its sessions; zero: all have the group's.
    package var sessionHold: Interval
    /// The balancer that started it still runs and finishes requests on it, which are unknown here.
    ///
    /// Until `Group.endSharing` it counts as in use, and its sessions do not end by being idle.
    package var isShared: Bool
    /// The balancer that started it was killed or crashed: `sessions` may lack sessions of its last
    /// moments.
    package var wasOrphaned: Bool
    /// The sessions that hold a place, in groups with `sessions_per_process`.
    package var sessions: RememberedSessions
    package var age: Interval

    package init(
        incarnation: Incarnation, label: String, pid: Int32, address: ProcessAddress,
        generation: Int, isStale: Bool, wasReady: Bool, wasDraining: Bool = false,
        wasRetired: Bool = false, drainUntil: MonotonicInstant? = nil, hadSessions: Bool? = nil,
        sessionHold: Interval = .zero, isShared: Bool = false, wasOrphaned: Bool = false,
        sessions: RememberedSessions = RememberedSessions(), age: Interval
    ) {
        self.incarnation = incarnation
        self.label = label
        self.pid = pid
        self.address = address
        self.generation = generation
        self.isStale = isStale
        self.wasReady = wasReady
        self.wasDraining = wasDraining
        self.wasRetired = wasRetired
        self.drainUntil = drainUntil
        self.hadSessions = hadSessions
        self.sessionHold = sessionHold
        self.isShared = isShared
        self.wasOrphaned = wasOrphaned
        self.sessions = sessions
        self.age = age
    }
}

/// The sessions that hold a place of a process.
package struct RememberedSessions: Equatable, Sendable {
    /// Sessions whose clients have sent the cookie back.
    package var confirmed: [SessionID]
    package var unconfirmed: [SessionID]

    package init(confirmed: [SessionID] = [], unconfirmed: [SessionID] = []) {
        self.confirmed = confirmed
        self.unconfirmed = unconfirmed
    }
}

/// A process's own notification (sd_notify(3)).
package enum ProcessNote: Equatable, Sendable {
    /// A line for people.
    case status(String)
    /// It is about to exit on its own: it takes no new sessions.
    case stopping
    /// It needs longer to start or to stop.
    case extendTimeout(Interval)
    /// It works in the background: it is not idle although no request is in flight.
    case busy(Bool)
}
