/// A process of an earlier balancer, as its state file and the system tell of it.
package struct AdoptedProcess: Equatable, Sendable {
    package var incarnation: Incarnation
    package var label: String
    package var pid: Int32
    package var address: ProcessAddress
    package var generation: Int
    /// It was not launched as the configuration says now: it drains as an older generation.
    package var isStale: Bool
    package var wasReady: Bool
    /// It was out of service, and drains on.
    package var wasDraining: Bool
    /// The longest idle time that one of its sessions was given; zero: all have the group's.
    package var sessionHold: Interval
    /// The balancer that it comes from lives and finishes requests on it, which are not known here.
    ///
    /// Until `Group.endSharing` it counts as in use, and no session on it ends by being idle.
    package var isShared: Bool
    /// The balancer that it comes from ended without a word: a session of its last moments may be missing
    /// among `sessions`.
    package var wasOrphaned: Bool
    /// Of groups with `sessions_per_process`: those that hold a place.
    package var sessions: RememberedSessions
    package var age: Interval

    package init(
        incarnation: Incarnation, label: String, pid: Int32, address: ProcessAddress,
        generation: Int, isStale: Bool, wasReady: Bool, wasDraining: Bool = false,
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
        self.sessionHold = sessionHold
        self.isShared = isShared
        self.wasOrphaned = wasOrphaned
        self.sessions = sessions
        self.age = age
    }
}

/// The sessions that hold a place of a process.
package struct RememberedSessions: Equatable, Sendable {
    /// Their clients have sent the cookie back.
    package var confirmed: [SessionID]
    package var unconfirmed: [SessionID]

    package init(confirmed: [SessionID] = [], unconfirmed: [SessionID] = []) {
        self.confirmed = confirmed
        self.unconfirmed = unconfirmed
    }
}

/// What a process says of itself.
package enum ProcessNote: Equatable, Sendable {
    /// A line for people.
    case status(String)
    /// It is about to end by its own wish: it takes no new sessions.
    case stopping
    /// It needs longer to start or to stop.
    case extendTimeout(Interval)
    /// Work in the background: it is not idle although no request is in flight.
    case busy(Bool)
}
