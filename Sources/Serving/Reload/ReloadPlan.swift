internal import AdminAPI
internal import Backends
internal import ConfigFile
internal import Reactor
internal import ReverseProxy
internal import SessionAffinity
internal import Supervision

/// The difference between what runs and a configuration that was read anew.
struct Change {
    private enum Step {
        case start(place: Int)
        /// New limits and times; nothing that a process was started with.
        case adjust(place: Int, plan: Int)
        case restart(place: Int, plan: Int)
        /// It was retired before.
        case revive(place: Int, plan: Int, newGeneration: Bool)
        case retire(place: Int)
    }

    private let plan: ServingPlan
    private let settings: ProxySettings
    private var entries: [ServingGroups.Entry]
    private let before: [ServingGroups.Entry]
    private var steps: [Step] = []
    /// Nil: the admin API stays where it is, and so do its tokens, until Mooring is started anew.
    private let access: AdminAccess.Keys?
    private(set) var report = ReloadReport()

    /// - Throws: `AdminRefusal` when the keyring cannot be read.
    init(
        from current: Reloader.Current, to plan: ServingPlan, entries: [ServingGroups.Entry],
        parts: Reloader.Parts
    ) throws(AdminRefusal) {
        self.plan = plan
        self.entries = entries
        before = entries
        var places: [Int] = []
        var entropy = Entropy()
        for (index, group) in plan.configuration.groups.enumerated() {
            let known = self.entries.firstIndex {
                !$0.isRetired && $0.configuration.name == group.name
            }
            if let known, Self.isSameKind(self.entries[known].configuration, group) {
                Self.note(group, at: known, index, plan, &self.entries, &steps, &report)
                places.append(known)
                continue
            }
            if let known {
                self.entries[known].isRetired = true
                steps.append(.retire(place: known))
            }
            report.added.append(group.name)
            if let former = self.entries.lastIndex(where: {
                $0.isRetired && $0.configuration.name == group.name
                    && Self.isSameKind($0.configuration, group)
            }) {
                Self.revive(group, at: former, index, plan, &self.entries, &steps)
                places.append(former)
                continue
            }
            let place = self.entries.count
            let made = Group(
                index: place, policy: group.policy, seed: entropy.word(), executor: parts.relay,
                budget: parts.budget, now: .now)
            self.entries.append(
                .init(
                    group: made, configuration: group,
                    launchFingerprint: plan.launches[index]?.fingerprint))
            steps.append(.start(place: place))
            places.append(place)
        }
        for (place, entry) in self.entries.enumerated()
        where !entry.isRetired && !places.contains(place) {
            self.entries[place].isRetired = true
            steps.append(.retire(place: place))
            report.removed.append(entry.configuration.name)
        }
        let keyring: Keyring
        let admin = plan.configuration.admin
        do {
            // Tokens for one address may be none for another.
            access = try admin.address == parts.adminAddress ? admin.keys() : nil
            keyring = try KeyringFile.load(plan.configuration.keysFile).keyring
        } catch {
            throw .invalid("\(error)")
        }
        settings = plan.proxySettings(
            keyring: keyring, groups: places, over: current.settings)
        report.needsRestart = plan.configuration.keysThatNeedRestart(
            comparedTo: current.plan.configuration)
        report.warnings = plan.configuration.warnings + plan.files.warnings
    }

    /// Applies it.
    ///
    /// - Throws: `AdminRefusal` when an address cannot be listened on; nothing is changed then.
    func apply(_ parts: Reloader.Parts, to current: inout Reloader.Current) throws(AdminRefusal) {
        parts.groups.replace(with: entries)
        parts.supervisor.update(launches: launches, groups: entries.map(\.group))
        do {
            try parts.proxy.reconfigure(settings, groups: entries.map(\.group))
        } catch {
            giveUp(parts)
            throw .invalid("\(error)")
        }
        parts.budget.set(
            concurrency: plan.spawnConcurrency, maxProcesses: plan.configuration.maxProcesses)
        if let access { parts.access.replace(with: access) }
        for step in steps { carryOut(step, parts) }
        parts.supervisor.watchServers()
        current.plan = plan
        current.settings = settings
    }

    /// The places of new groups are taken; they stay empty.
    private func giveUp(_ parts: Reloader.Parts) {
        var kept = before
        for var entry in entries[before.count...] {
            entry.isRetired = true
            entry.group.retire(now: .now)
            kept.append(entry)
        }
        parts.groups.replace(with: kept)
    }

    private func carryOut(_ step: Step, _ parts: Reloader.Parts) {
        switch step {
        case .start(let place):
            entries[place].group.start(now: .now)
        case .adjust(let place, let index):
            let group = entries[place].group
            if let launch = plan.launches[index] {
                let generation = group.snapshot(now: .now).generation
                parts.supervisor.setLaunch(launch, group: place, generation: generation)
            }
            group.reconfigure(plan.policies[index], newGeneration: false, now: .now)
        case .restart(let place, let index):
            let group = entries[place].group
            if let launch = plan.launches[index] {
                parts.supervisor.setLaunch(
                    launch, group: place, generation: group.nextGeneration)
            }
            group.reconfigure(plan.policies[index], newGeneration: true, now: .now)
        case .revive(let place, let index, let newGeneration):
            let group = entries[place].group
            if let launch = plan.launches[index] {
                let generation =
                    newGeneration ? group.nextGeneration : group.snapshot(now: .now).generation
                parts.supervisor.setLaunch(launch, group: place, generation: generation)
            }
            group.revive(plan.policies[index], newGeneration: newGeneration, now: .now)
        case .retire(let place):
            entries[place].group.retire(now: .now)
        }
    }

    /// By place; nil: external, or nothing is started there any more.
    private var launches: [LaunchSpec?] {
        entries.enumerated().map { place, entry in
            guard !entry.isRetired else { return nil }
            let name = entry.configuration.name
            return plan.configuration.groups.firstIndex { $0.name == name }
                .flatMap { plan.launches[$0] }
        }
    }

    /// Whether the group can go on: pins to servers are found again by their addresses.
    private static func isSameKind(
        _ one: Configuration.Group, _ other: Configuration.Group
    ) -> Bool { one.policy.kind == other.policy.kind }

    private static func revive(
        _ group: Configuration.Group, at place: Int, _ index: Int, _ plan: ServingPlan,
        _ entries: inout [ServingGroups.Entry], _ steps: inout [Step]
    ) {
        let fingerprint = plan.launches[index]?.fingerprint
        steps.append(
            .revive(
                place: place, plan: index,
                newGeneration: fingerprint != entries[place].launchFingerprint))
        entries[place].isRetired = false
        entries[place].configuration = group
        entries[place].launchFingerprint = fingerprint
    }

    private static func note(
        _ group: Configuration.Group, at place: Int, _ index: Int, _ plan: ServingPlan,
        _ entries: inout [ServingGroups.Entry], _ steps: inout [Step],
        _ report: inout ReloadReport
    ) {
        let before = entries[place]
        let fingerprint = plan.launches[index]?.fingerprint
        entries[place].configuration = group
        entries[place].launchFingerprint = fingerprint
        if fingerprint != before.launchFingerprint {
            steps.append(.restart(place: place, plan: index))
            report.restarted.append(group.name)
        } else if before.configuration != group {
            steps.append(.adjust(place: place, plan: index))
            report.changed.append(group.name)
        } else {
            let now = entries[place].group.snapshot(now: .now)
            // It may have been scaled since.
            if now.isSpawned,
                now.minimum != group.policy.minimum || now.maximum != group.policy.maximum
            {
                steps.append(.adjust(place: place, plan: index))
            }
        }
    }
}

extension Configuration {
    /// What is read once, at the start.
    func keysThatNeedRestart(comparedTo old: Configuration) -> [String] {
        var keys: [String] = []
        if workers != old.workers { keys.append("workers") }
        if stateDirectory != old.stateDirectory { keys.append("state_dir") }
        if runtimeDirectory != old.runtimeDirectory { keys.append("runtime_dir") }
        if admin.address != old.admin.address { keys.append("admin.address") }
        var oldLog = old.log
        oldLog.accessFormat = log.accessFormat
        if log != oldLog { keys.append("log") }
        if limits.connections != old.limits.connections { keys.append("limits.connections") }
        return keys
    }
}
