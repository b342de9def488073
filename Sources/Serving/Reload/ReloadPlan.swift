internal import AdminAPI
internal import Backends
internal import ConfigFile

/// What has to be done to get from what runs to a configuration that was read anew; pure.
///
/// Running groups have an index each, which is their number in every order, grant and event: it never
/// changes and is never given to another group. A group that leaves the configuration is retired at its
/// index, and revived there when it comes back.
struct ReloadPlan: Equatable {
    /// What runs, as far as a reload compares it.
    struct Running {
        /// That of the start: what is read once is still as it says.
        var configuration: Configuration
        /// By index.
        var groups: [Group]

        /// One running group.
        struct Group {
            /// As it was configured last.
            var configuration: Configuration.Group
            /// Of what its processes are started with; nil: external.
            var launchFingerprint: String?
            /// Of what the processes that serve were started with, where a newer generation is still
            /// starting or did not start; nil: they are of the newest.
            var servingFingerprint: String?
            /// It is not in the configuration any more.
            var isRetired = false
            /// An administrator has changed how many processes it has since.
            var isScaled = false
        }
    }

    /// What is to run.
    struct Wanted {
        var configuration: Configuration
        /// In the order of the configuration's groups; nil: external.
        var launchFingerprints: [String?]
        var warnings: [String] = []
    }

    /// What happens to the running group at `index`; `configured` is its position in the configuration.
    enum Step: Equatable {
        /// A new group, behind all others.
        case start(index: Int, configured: Int)
        /// New limits and times; nothing that a process was started with.
        case adjust(index: Int, configured: Int)
        /// A new generation, for what processes are started with has changed.
        case restart(index: Int, configured: Int)
        /// The generation that is starting, or did not start, is given up: those that serve were started
        /// with what the configuration says again.
        case keepServing(index: Int, configured: Int)
        /// It was retired before.
        case revive(index: Int, configured: Int, newGeneration: Bool)
        /// Its processes drain, and nothing follows them.
        case retire(index: Int)
    }

    /// In the order in which they are carried out; groups that did not change have none.
    private(set) var steps: [Step] = []
    /// The index of each group of the configuration.
    private(set) var indices: [Int] = []
    /// For whoever has asked for the reload.
    private(set) var report = ReloadReport()

    /// Compares the two.
    init(from old: Running, to new: Wanted) {
        var isRetired = old.groups.map(\.isRetired)
        var count = old.groups.count
        for (configured, group) in new.configuration.groups.enumerated() {
            let fingerprint = new.launchFingerprints[configured]
            let present = old.groups.indices.first { index in
                !isRetired[index] && old.groups[index].configuration.name == group.name
            }
            if let present, old.groups[present].canBecome(group) {
                keep(old.groups[present], present, group, configured, fingerprint)
                indices.append(present)
                continue
            }
            if let present {
                isRetired[present] = true
                steps.append(.retire(index: present))
            }
            report.added.append(group.name)
            let former = old.groups.indices.last { index in
                isRetired[index] && old.groups[index].configuration.name == group.name
                    && old.groups[index].canBecome(group)
            }
            if let former {
                isRetired[former] = false
                steps.append(
                    .revive(
                        index: former, configured: configured,
                        newGeneration: fingerprint != old.groups[former].launchFingerprint))
                indices.append(former)
            } else {
                steps.append(.start(index: count, configured: configured))
                indices.append(count)
                count += 1
            }
        }
        for (index, group) in old.groups.enumerated()
        where !isRetired[index] && !indices.contains(index) {
            steps.append(.retire(index: index))
            report.removed.append(group.configuration.name)
        }
        report.needsRestart = new.configuration.keysThatNeedRestart(
            comparedTo: old.configuration)
        report.warnings = new.warnings
    }

    /// A group that stays: what has changed decides how much of it begins anew.
    private mutating func keep(
        _ running: Running.Group, _ index: Int, _ group: Configuration.Group, _ configured: Int,
        _ fingerprint: String?
    ) {
        if let serving = running.servingFingerprint, serving == fingerprint,
            fingerprint != running.launchFingerprint
        {
            steps.append(.keepServing(index: index, configured: configured))
            report.changed.append(group.name)
        } else if fingerprint != running.launchFingerprint {
            steps.append(.restart(index: index, configured: configured))
            report.restarted.append(group.name)
        } else if running.configuration != group {
            steps.append(.adjust(index: index, configured: configured))
            report.changed.append(group.name)
        } else if running.isScaled {
            // The configuration's bounds hold again, which is no change of the configuration.
            steps.append(.adjust(index: index, configured: configured))
        }
    }
}

extension ReloadPlan.Running.Group {
    /// Whether the group can go on as the configured one.
    fileprivate func canBecome(_ group: Configuration.Group) -> Bool {
        configuration.policy.kind.canBecome(group.policy.kind)
    }
}
