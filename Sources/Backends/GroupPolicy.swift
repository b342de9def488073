/// The validated settings of one group that the registry uses.
package struct GroupPolicy: Equatable, Sendable {
    /// Whether Mooring starts the processes or only balances to them.
    package enum Kind: Equatable, Sendable {
        case spawned
        case external([ServerEndpoint])

        /// Whether a group of this kind can continue as one of the other, with its sessions.
        ///
        /// Pins to servers are derived from their names or addresses, those to spawned processes
        /// from an id drawn at the spawn.
        package func canBecome(_ other: Kind) -> Bool {
            switch (self, other) {
            case (.spawned, .spawned), (.external, .external): true
            case (.spawned, .external), (.external, .spawned): false
            }
        }
    }

    /// How new sessions are distributed over the processes.
    package enum Placement: String, Equatable, Sendable, CaseIterable {
        /// Evenly over the permanent processes, then packed on the transient ones.
        case auto
        case spread
        case pack
    }

    /// What happens to a session whose process is gone.
    package enum OnLost: String, Equatable, Sendable {
        case reassign
        case refuse
    }

    package var name: String
    package var kind: Kind = .spawned
    package var minimum = 1
    package var maximum = 1
    /// Slots: concurrent requests per process, also for external servers.
    package var threads = 1
    /// Sessions that one process may hold; 0: no limit.
    package var sessionsPerProcess = 0
    /// Some sessions are known by their ids alone, which no token gives back after a restart.
    package var namesSessions = false
    package var placement = Placement.auto
    package var onLost = OnLost.reassign
    /// A session ends after this long without a request.
    package var sessionIdle = Interval.seconds(30 * 60)
    /// Like `sessionIdle`, for a session whose cookie the client has never sent back.
    package var unconfirmed = Interval.seconds(5 * 60)
    /// The most sessions with a lease; fixed when the group is created.
    package var leaseLimit = 1_000_000
    package var queueLimit = 1_000
    package var processQueueLimit = 1_000
    package var queueTimeout = Interval.seconds(30)
    package var idleTimeout = Interval.seconds(5 * 60)
    package var startTimeout = Interval.seconds(60)
    package var stopTimeout = Interval.seconds(10)
    /// How long a draining process waits for its sessions to end.
    package var drainTimeout = Interval.seconds(3600)
    /// Draining processes above which recycling waits; 0: as many as `maximum`.
    package var drainingMaximum = 0
    /// Idle transient processes to keep ready.
    package var spare = 0
    /// Requests after which a process is recycled (±10 %); 0: never.
    package var maxRequests = 0
    /// The age at which a process is recycled (±10 %); nil: never.
    package var maxAge: Interval?
    /// Health checks of external servers; nil: only their responses to requests indicate their
    /// health.
    package var health: HealthPolicy?
    /// How long the share of a server that is new or back takes to grow to the whole.
    package var slowStart = Interval.zero
    /// An open tunnel holds a slot.
    package var tunnelSlots = false

    package init(name: String) { self.name = name }

    /// Whether an adoption needs to know which sessions a process has.
    var recordsSessions: Bool { sessionsPerProcess > 0 || namesSessions }

    /// Whether sessions are spread over all processes, because none needs to become idle.
    var fillsAllEvenly: Bool {
        switch placement {
        case .auto: kind != .spawned || minimum >= maximum
        case .spread: true
        case .pack: false
        }
    }
}
