internal import Backends

/// The group of one run, and the weather it meets.
struct Scenario {
    var policy: GroupPolicy
    var clients: Int
    /// Of a hundred starts so many fail.
    var brokenStarts: Int
    /// Of a hundred connections so many fail.
    var brokenConnections: Int

    /// Changes what a new configuration may change while the group runs.
    ///
    /// The time and the number of sessions are left alone: the model could not tell which leases are
    /// of the old kind.
    static func change(
        _ policy: GroupPolicy, using generator: inout some RandomNumberGenerator
    ) -> GroupPolicy {
        let drawn = random(using: &generator).policy
        var changed = policy
        changed.minimum = drawn.minimum
        changed.maximum = drawn.maximum
        changed.spare = drawn.spare
        changed.threads = drawn.threads
        changed.placement = drawn.placement
        changed.queueLimit = drawn.queueLimit
        changed.processQueueLimit = drawn.processQueueLimit
        changed.queueTimeout = drawn.queueTimeout
        changed.idleTimeout = drawn.idleTimeout
        changed.startTimeout = drawn.startTimeout
        changed.stopTimeout = drawn.stopTimeout
        changed.drainTimeout = drawn.drainTimeout
        changed.drainingMaximum = drawn.drainingMaximum
        changed.maxRequests = drawn.maxRequests
        changed.maxAge = drawn.maxAge
        return changed
    }

    /// Draws a group: small numbers, so that every limit is met.
    static func random(using generator: inout some RandomNumberGenerator) -> Scenario {
        var policy = GroupPolicy(name: "simulated")
        if generator.percent(20) {
            let count = Int.random(in: 1...4, using: &generator)
            policy.kind = .external(
                (0..<count).map { index in
                    .init(
                        address: .tcp(host: "10.0.0.\(index)", port: 80),
                        weight: Int.random(in: 1...3, using: &generator))
                })
        }
        policy.minimum = generator.pick([0, 0, 1, 1, 2, 3, 4])
        policy.maximum = max(1, policy.minimum + generator.pick([0, 0, 1, 2, 4]))
        if generator.percent(5) {
            policy.minimum = 12
            policy.maximum = 12
        }
        policy.threads = Int.random(in: 1...6, using: &generator)
        policy.sessionsPerProcess = generator.percent(60) ? 0 : generator.pick([1, 2, 3])
        policy.placement = generator.pick([.auto, .auto, .spread, .pack])
        policy.onLost = generator.percent(70) ? .reassign : .refuse
        policy.sessionIdle = .milliseconds(generator.pick([50, 1_000, 10_000, 120_000, 1_800_000]))
        policy.unconfirmed = .milliseconds(generator.pick([50, 5_000, 60_000, 300_000]))
        if policy.sessionsPerProcess == 0, generator.percent(20) {
            policy.leaseLimit = generator.pick([1, 3, 10, 80])
        }
        policy.queueLimit = generator.pick([0, 2, 10, 100])
        policy.processQueueLimit = generator.pick([0, 1, 4, 16])
        policy.queueTimeout = .milliseconds(generator.pick([20, 1_000, 30_000]))
        policy.idleTimeout = .milliseconds(generator.pick([0, 100, 5_000, 60_000]))
        policy.startTimeout = .milliseconds(generator.pick([200, 5_000, 20_000]))
        policy.stopTimeout = .milliseconds(generator.pick([0, 100, 5_000]))
        policy.drainTimeout = .seconds(generator.pick([1, 60, 3_600]))
        policy.spare =
            generator.percent(70) ? 0 : min(2, policy.maximum - policy.minimum)
        policy.drainingMaximum = generator.pick([0, 0, 1, 2])
        policy.maxRequests = generator.pick([0, 0, 0, 5, 50])
        policy.maxAge = generator.pick([nil, nil, nil, .seconds(30), .seconds(600)])
        policy.tunnelSlots = generator.percent(30)
        return Scenario(
            policy: policy, clients: Int.random(in: 3...30, using: &generator),
            brokenStarts: generator.pick([0, 0, 10, 40]),
            brokenConnections: generator.pick([0, 0, 1, 5]))
    }
}
