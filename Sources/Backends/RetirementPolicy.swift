/// What of a group's policy its processes are kept by when the group has left the configuration: as much
/// as a later balancer needs to know of a group that it has no file for.
package struct RetirementPolicy: Equatable, Sendable {
    package var minimum: Int
    package var maximum: Int
    package var threads: Int
    package var sessionsPerProcess: Int
    package var sessionIdle: Interval
    package var unconfirmed: Interval
    package var drainTimeout: Interval
    package var stopTimeout: Interval

    /// The most of anything that is counted, and the longest of anything that is timed.
    package static let mostCounted = 1_000_000
    package static var longestInterval: Interval { GroupState.longestInterval }

    /// That of a group, within the bounds that a policy has.
    package init(_ policy: GroupPolicy) {
        let usable = GroupState.usable(policy)
        maximum = min(usable.maximum, Self.mostCounted)
        minimum = min(usable.minimum, maximum)
        threads = usable.threads
        sessionsPerProcess = usable.sessionsPerProcess
        sessionIdle = usable.sessionIdle
        unconfirmed = usable.unconfirmed
        drainTimeout = usable.drainTimeout
        stopTimeout = usable.stopTimeout
    }

    /// The policy of a group that was known by this.
    package func policy(named name: String) -> GroupPolicy {
        var policy = GroupPolicy(name: name)
        policy.minimum = minimum
        policy.maximum = maximum
        policy.threads = threads
        policy.sessionsPerProcess = sessionsPerProcess
        policy.sessionIdle = sessionIdle
        policy.unconfirmed = unconfirmed
        policy.drainTimeout = drainTimeout
        policy.stopTimeout = stopTimeout
        return policy
    }
}
