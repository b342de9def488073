internal import Backends

/// The group of one run, and the weather it meets.
struct Scenario {
    var policy: GroupPolicy
    var clients: Int
    /// Of a hundred starts so many fail.
    var brokenStarts: Int
    /// Of a hundred connections so many fail.
    var brokenConnections: Int

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
        policy.placement = generator.percent(50) ? .spread : .pack
        policy.onLost = generator.percent(70) ? .reassign : .refuse
        policy.sessionIdle = .milliseconds(generator.pick([50, 1_000, 10_000, 120_000, 1_800_000]))
        policy.queueLimit = generator.pick([0, 2, 10, 100])
        policy.processQueueLimit = generator.pick([0, 1, 4, 16])
        policy.queueTimeout = .milliseconds(generator.pick([20, 1_000, 30_000]))
        policy.idleTimeout = .milliseconds(generator.pick([0, 100, 5_000, 60_000]))
        policy.startTimeout = .milliseconds(generator.pick([200, 5_000, 20_000]))
        policy.stopTimeout = .milliseconds(generator.pick([0, 100, 5_000]))
        return Scenario(
            policy: policy, clients: Int.random(in: 3...30, using: &generator),
            brokenStarts: generator.pick([0, 0, 10, 40]),
            brokenConnections: generator.pick([0, 0, 1, 5]))
    }
}
