/// What one group promises and allows: the validated settings that the registry acts on.
package struct GroupPolicy: Equatable, Sendable {
    /// Spawned by Mooring, or addresses that it only balances to.
    package enum Kind: Equatable, Sendable {
        case spawned
        case external([ServerEndpoint])

        /// Whether a group of this kind can go on as one of the other, with its sessions.
        ///
        /// Pins to servers are found again by their addresses, those to spawned processes by what
        /// they were drawn at the spawn.
        package func canBecome(_ other: Kind) -> Bool {
            switch (self, other) {
            case (.spawned, .spawned): true
            case (.external(let servers), .external(let others)):
                servers.elementsEqual(others) { $0.canBecome($1) }
            case (.spawned, .external), (.external, .spawned): false
            }
        }
    }

    /// How new sessions are dealt over the processes.
    package enum Placement: String, Equatable, Sendable, CaseIterable {
        /// Evenly over the permanent processes, then packed on the transient ones.
        case auto
        case spread
        case pack
    }

    /// What becomes of a session whose process is gone.
    package enum OnLost: String, Equatable, Sendable {
        case reassign
        case refuse
    }

    package var name: String
    package var kind: Kind = .spawned
    package var minimum = 1
    package var maximum = 1
    /// Slots: requests at once per process; for external servers too.
    package var threads = 1
    /// Sessions that one process may hold; 0: no limit.
    package var sessionsPerProcess = 0
    package var placement = Placement.auto
    package var onLost = OnLost.reassign
    /// A session without a request for so long has ended.
    package var sessionIdle = Interval.seconds(30 * 60)
    /// The same for a session whose cookie the client has never sent back.
    package var unconfirmed = Interval.seconds(5 * 60)
    /// Sessions that have a lease at once; fixed when the group is made.
    package var leaseLimit = 1_000_000
    package var queueLimit = 1_000
    package var processQueueLimit = 1_000
    package var queueTimeout = Interval.seconds(30)
    package var idleTimeout = Interval.seconds(5 * 60)
    package var startTimeout = Interval.seconds(60)
    package var stopTimeout = Interval.seconds(10)
    /// How long a draining process waits for its sessions.
    package var drainTimeout = Interval.seconds(3600)
    /// Processes out of service at once, beyond which none is recycled; 0: as many as `maximum`.
    package var drainingMaximum = 0
    /// Idle transient processes that are kept ready.
    package var spare = 0
    /// Requests after which a process is recycled (±10 %); 0: never.
    package var maxRequests = 0
    /// The age at which a process is recycled (±10 %); nil: never.
    package var maxAge: Interval?
    /// How external servers are asked; nil: their requests alone tell how they are.
    package var health: HealthPolicy?
    /// An open tunnel holds a slot.
    package var tunnelSlots = false

    package init(name: String) { self.name = name }

    /// Whether all processes are alike to new sessions: none is to empty out again.
    var fillsAllEvenly: Bool {
        switch placement {
        case .auto: kind != .spawned || minimum >= maximum
        case .spread: true
        case .pack: false
        }
    }
}
