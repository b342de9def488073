internal import Backends

/// The group of one run, and its fault rates.
struct Scenario {
    var policy: GroupPolicy
    var clients: Int
    /// The percentage of starts that fail.
    var brokenStarts: Int
    /// The percentage of connections that fail.
    var brokenConnections: Int

    /// Changes settings that a new configuration may change while the group runs.
    ///
    /// The session time and number are not changed: the model could not tell which leases have the
    /// old values.
    static func change(
        _ policy: GroupPolicy, _ chance: Chance
    ) -> GroupPolicy {
        let drawn = random(chance).policy
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

    /// Draws a group with small numbers, so that every limit is reached.
    static func random(_ chance: Chance) -> Scenario {
        var policy = GroupPolicy(name: "simulated")
        if chance.percent("isExternal", 20) {
            let count = chance.int("servers", in: 1...4)
            policy.kind = .external(
                (0..<count).map { index in
                    .init(
                        address: .tcp(host: "10.0.0.\(index)", port: 80),
                        weight: chance.int("weight", in: 1...3))
                })
        }
        policy.minimum = chance.pick("minimum", [0, 0, 1, 1, 2, 3, 4])
        policy.maximum = max(1, policy.minimum + chance.pick("above", [0, 0, 1, 2, 4]))
        if chance.percent("isLarge", 5) {
            policy.minimum = 12
            policy.maximum = 12
        }
        policy.threads = chance.int("threads", in: 1...6)
        policy.sessionsPerProcess =
            chance.percent("hasNoPlaces", 60) ? 0 : chance.pick("places", [1, 2, 3])
        policy.placement = chance.pick("placement", [.auto, .auto, .spread, .pack])
        policy.onLost = chance.percent("reassigns", 70) ? .reassign : .refuse
        policy.sessionIdle = .milliseconds(
            chance.pick("sessionIdle", [50, 1_000, 10_000, 120_000, 1_800_000]))
        policy.unconfirmed = .milliseconds(
            chance.pick("unconfirmed", [50, 5_000, 60_000, 300_000]))
        if policy.sessionsPerProcess == 0, chance.percent("hasFewLeases", 20) {
            policy.leaseLimit = chance.pick("leases", [1, 3, 10, 80])
        }
        policy.queueLimit = chance.pick("queue", [0, 2, 10, 100])
        policy.processQueueLimit = chance.pick("processQueue", [0, 1, 4, 16])
        policy.queueTimeout = .milliseconds(chance.pick("queueTimeout", [20, 1_000, 30_000]))
        policy.idleTimeout = .milliseconds(chance.pick("idleTimeout", [0, 100, 5_000, 60_000]))
        policy.startTimeout = .milliseconds(chance.pick("startTimeout", [200, 5_000, 20_000]))
        policy.stopTimeout = .milliseconds(chance.pick("stopTimeout", [0, 100, 5_000]))
        policy.drainTimeout = .seconds(chance.pick("drainTimeout", [1, 60, 3_600]))
        policy.spare =
            chance.percent("hasNoSpare", 70) ? 0 : min(2, policy.maximum - policy.minimum)
        policy.drainingMaximum = chance.pick("drainingMaximum", [0, 0, 1, 2])
        policy.maxRequests = chance.pick("maxRequests", [0, 0, 0, 5, 50])
        let age: Int64 = chance.pick("maxAge", [0, 0, 0, 30, 600])
        policy.maxAge = age > 0 ? .seconds(age) : nil
        policy.tunnelSlots = chance.percent("tunnelSlots", 30)
        return Scenario(
            policy: policy, clients: chance.int("clients", in: 3...30),
            brokenStarts: chance.pick("brokenStarts", [0, 0, 10, 40]),
            brokenConnections: chance.pick("brokenConnections", [0, 0, 1, 5]))
    }
}
