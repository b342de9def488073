package import Backends

/// A group that is not in the configuration any more, as the records of its living processes tell of it.
package struct RetiredGroup: Equatable, Sendable {
    /// With the group's name.
    package var policy: GroupPolicy
    /// What its newest processes were started by; others are of an older generation.
    package var fingerprint: String

    var name: String { policy.name }

    /// The group that all of these records name; nil: there are none.
    init?(_ records: [ProcessRecord]) {
        // Who has never been ready does not make a generation.
        let newest = records.max { one, other in
            (one.hasBeenReady ? 1 : 0, one.generation) < (
                other.hasBeenReady ? 1 : 0, other.generation
            )
        }
        guard let newest else { return nil }
        // Those that are not of long ago say the same.
        let retirement = newest.retirement ?? records.compactMap(\.retirement).first
        policy =
            retirement?.policy(named: newest.group) ?? Self.policy(ofLongAgo: newest.group, records)
        fingerprint = newest.fingerprint
    }

    /// The defaults, with room for all that there are.
    private static func policy(
        ofLongAgo name: String, _ records: [ProcessRecord]
    ) -> GroupPolicy {
        var policy = GroupPolicy(name: name)
        policy.maximum = max(1, records.count)
        policy.sessionsPerProcess = records.map(\.sessions.count).max() ?? 0
        return policy
    }
}

extension Supervisor {
    /// The groups that living processes of an earlier balancer belong to, and that are not among those of
    /// the configuration which start processes.
    ///
    /// - Parameter known: names of others that are not looked for.
    package func retiredGroups(besides known: Set<String> = []) -> [RetiredGroup] {
        let records = livingRecords.filter { !known.contains($0.group) }
        return Dictionary(grouping: records, by: \.group).sorted { $0.key < $1.key }
            .compactMap { RetiredGroup($0.value) }
    }
}
