internal import Backends
internal import ConfigFile
internal import Logging
internal import Supervision

/// Groups that a start finds processes of and not in its configuration: they end with their sessions, as
/// those do that leave it by a reload, and may come back like these.
extension ServingGroups {
    /// Takes them up behind all others.
    ///
    /// - Parameter make: a group of a policy, for an index.
    func add(_ retired: [RetiredGroup], _ make: (Int, GroupPolicy) -> Group) {
        var entries = snapshot
        for found in retired {
            var entry = Entry(
                group: make(entries.count, found.policy),
                configuration: Configuration.Group(retired: found.policy),
                launchFingerprint: found.fingerprint)
            entry.isRetired = true
            entries.append(entry)
        }
        replace(with: entries)
    }

    /// Starts all; says what becomes of the processes of those that are retired.
    func start(log: Logger) {
        for entry in snapshot {
            guard entry.isRetired else {
                entry.group.start(now: .now)
                continue
            }
            entry.group.startRetired(now: .now)
            tell(of: entry.group.snapshot(now: .now), log)
        }
    }

    private func tell(of group: GroupSnapshot, _ log: Logger) {
        let kept = group.processes.filter { $0.state == .draining }
        let left = kept.compactMap(\.drainLeft).max()
        guard let left else {
            log.notice(
                "group \(group.name) is not in the configuration any more; its processes had no sessions"
            )
            return
        }
        log.notice(
            """
            group \(group.name) is not in the configuration any more; processes that are kept for their \
            sessions: \(kept.count), for \(left.nanoseconds / 1_000_000_000) s at the latest
            """)
    }
}
