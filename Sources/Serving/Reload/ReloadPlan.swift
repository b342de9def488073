internal import AdminAPI
internal import Backends
internal import ConfigFile

/// The steps from the running state to a new configuration; pure.
///
/// Each running group has an index, which identifies it in every order, grant and event: it never
/// changes and is never reused. A group that leaves the configuration is retired at its index, and
/// revived there when it comes back.
struct ReloadPlan: Equatable {
    /// The running state that a reload compares.
    struct Running {
        /// The configuration of the start: keys that are read once still have its values.
        var configuration: Configuration
        /// By index.
        var groups: [Group]

        /// One running group.
        struct Group {
            /// The current configuration.
            var configuration: Configuration.Group
            /// The fingerprint of its launch; nil: external.
            var launchFingerprint: String?
            /// The launch fingerprint of the serving processes, if a newer generation is starting
            /// or has failed to start; nil: they belong to the newest.
            var servingFingerprint: String?
            /// The configuration no longer has it.
            var isRetired = false
            /// An administrator has changed its number of processes since.
            var isScaled = false
        }
    }

    /// The state to reach.
    struct Wanted {
        var configuration: Configuration
        /// In the order of the configuration's groups; nil: external.
        var launchFingerprints: [String?]
        var warnings: [String] = []
    }

    /// What happens to the running group at `index`; `configured` is its position in the configuration.
    enum Step: Equatable {
        /// A new group, after all others.
        case start(index: Int, configured: Int)
        /// New limits and times, but nothing that processes are started with.
        case adjust(index: Int, configured: Int)
        /// A new generation, because the launch settings have changed.
        case restart(index: Int, configured: Int)
        /// The generation that is starting, or has failed to start, is given up: the configuration
        /// has the launch settings of the serving processes again.
        case keepServing(index: Int, configured: Int)
        /// It was retired.
        case revive(index: Int, configured: Int, newGeneration: Bool)
        /// Its processes drain and are not replaced.
        case retire(index: Int)

        var isRetirement: Bool {
            if case .retire = self { true } else { false }
        }
    }

    /// In the order of execution; unchanged groups have none.
    private(set) var steps: [Step] = []
    /// The index of each group of the configuration.
    private(set) var indices: [Int] = []
    /// For the caller of the reload.
    private(set) var report = ReloadReport()

    /// Compares the two states.
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
                    && old.groups[index].canComeBack(as: group, fingerprint)
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

    /// A group that stays: its changes decide how much of it starts again.
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
            // The configuration's bounds apply again, which is not a change of the configuration.
            steps.append(.adjust(index: index, configured: configured))
        }
    }
}

extension ReloadPlan.Running.Group {
    /// Whether the group can continue as the configured one, with the same protocol.
    fileprivate func canBecome(_ group: Configuration.Group) -> Bool {
        configuration.policy.kind.canBecome(group.policy.kind)
            && configuration.upstreamProtocol == group.upstreamProtocol
    }

    /// Whether a retired group can come back as the configured one.
    ///
    /// Of one that was adopted as retired the protocol is not known, but the same launch has the same.
    fileprivate func canComeBack(as group: Configuration.Group, _ fingerprint: String?) -> Bool {
        if canBecome(group) { return true }
        return configuration.policy.kind.canBecome(group.policy.kind)
            && fingerprint != nil && fingerprint == launchFingerprint
    }
}
