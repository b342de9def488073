internal import AdminAPI
internal import Backends
internal import ConfigFile
internal import Dispatch
internal import Reactor
internal import ReverseProxy
internal import SessionAffinity
internal import Supervision

/// Applies a `ReloadPlan` to the parts of the running program.
struct Reload {
    private let plan: ReloadPlan
    /// The new configuration, translated for the parts.
    private let wanted: ServingPlan
    private let settings: ProxySettings
    private let before: [ServingGroups.Entry]
    private let after: [ServingGroups.Entry]
    /// Nil: the admin API keeps its address, and with it its tokens, until Mooring is restarted.
    private let access: AdminAccess.Keys?

    var report: ReloadReport { plan.report }

    /// Creates the new groups and reads the keys; changes nothing that runs.
    ///
    /// - Throws: `AdminRefusal` when the keyring or a token is unreadable.
    init(
        from current: Reloader.Current, to wanted: ServingPlan, parts: Reloader.Parts
    ) throws(AdminRefusal) {
        before = parts.groups.snapshot
        plan = ReloadPlan(
            from: .init(
                configuration: parts.started,
                groups: before.map { ReloadPlan.Running.Group($0) }),
            to: .init(
                configuration: wanted.configuration,
                launchFingerprints: wanted.launches.map { $0?.fingerprint },
                warnings: wanted.configuration.warnings + wanted.files.warnings))
        self.wanted = wanted
        let keyring: Keyring
        let admin = wanted.configuration.admin
        do {
            // Tokens for one address need not be valid for another.
            access = try admin.address == parts.started.admin.address ? admin.keys() : nil
            let keysFile = wanted.configuration.keysFile(
                inStateDirectory: parts.started.stateDirectory)
            keyring = try KeyringFile.load(keysFile).keyring
        } catch {
            throw .invalid((error as? ServingError)?.message ?? "\(error)")
        }
        after = Self.entries(before, plan, wanted, parts)
        settings = wanted.proxySettings(
            keyring: keyring, indices: plan.indices, names: after.map(\.group.name),
            over: current.settings)
    }

    /// Applies the plan.
    ///
    /// - Throws: `AdminRefusal` when an address cannot be bound; nothing has changed then.
    func apply(_ parts: Reloader.Parts, to current: inout Reloader.Current) throws(AdminRefusal) {
        parts.groups.replace(with: after)
        parts.supervisor.update(launches: launches, groups: after.map(\.group))
        do {
            try parts.proxy.reconfigure(settings, groups: after.map(\.group))
        } catch {
            giveUp(parts)
            throw .invalid("\(error)")
        }
        parts.budget.set(
            concurrency: wanted.spawnConcurrency, maxProcesses: wanted.configuration.maxProcesses)
        if let access { parts.access.replace(with: access) }
        for step in plan.steps where !step.isRetirement { carryOut(step, parts) }
        // A group that retires refuses requests, and one that has come back until it is revived.
        waitUntilRouted(parts.proxy)
        for step in plan.steps where step.isRetirement { carryOut(step, parts) }
        parts.supervisor.watchServers(
            secure: wanted.secureServers(indices: plan.indices), names: wanted.configuration.dns)
        current.plan = wanted
        current.settings = settings
    }

    /// Waits until every loop routes by the new settings.
    ///
    /// At most a second, so that a stuck loop does not hold up the reload.
    private func waitUntilRouted(_ proxy: Proxy) {
        let isRouted = DispatchSemaphore(value: 0)
        // A loop takes its messages in order, so it has the settings when it counts.
        proxy.countWaiting { _ in isRouted.signal() }
        _ = isRouted.wait(timeout: .now() + .seconds(1))
    }

    /// The indices of new groups are used up; their entries stay empty.
    private func giveUp(_ parts: Reloader.Parts) {
        var kept = before
        for var entry in after[before.count...] {
            entry.isRetired = true
            entry.group.retire(now: .now)
            kept.append(entry)
        }
        parts.groups.replace(with: kept)
    }

    private func carryOut(_ step: ReloadPlan.Step, _ parts: Reloader.Parts) {
        switch step {
        case .start(let index, _):
            after[index].group.start(now: .now)
        case .adjust(let index, let configured):
            setLaunch(configured, index, newGeneration: false, parts)
            after[index].group.reconfigure(
                wanted.policies[configured], newGeneration: false, now: .now)
        case .restart(let index, let configured):
            setLaunch(configured, index, newGeneration: true, parts)
            after[index].group.reconfigure(
                wanted.policies[configured], newGeneration: true, now: .now)
        case .keepServing(let index, let configured):
            let group = after[index].group
            group.reconfigure(wanted.policies[configured], newGeneration: false, now: .now)
            group.abandonRollout(now: .now)
            // Replaces the launch that failed: a later generation would use it.
            if let launch = wanted.launches[configured] {
                parts.supervisor.setLaunch(
                    launch, group: index, generation: group.nextGeneration - 1)
            }
        case .revive(let index, let configured, let newGeneration):
            setLaunch(configured, index, newGeneration: newGeneration, parts)
            after[index].group.revive(
                wanted.policies[configured], newGeneration: newGeneration, now: .now)
        case .retire(let index):
            after[index].group.retire(now: .now)
        }
    }

    /// Sets the launch of a generation before it begins; does nothing for external groups.
    private func setLaunch(
        _ configured: Int, _ index: Int, newGeneration: Bool, _ parts: Reloader.Parts
    ) {
        guard let launch = wanted.launches[configured] else { return }
        let group = after[index].group
        let generation =
            newGeneration ? group.nextGeneration : group.snapshot(now: .now).generation
        parts.supervisor.setLaunch(launch, group: index, generation: generation)
    }

    /// By index; nil: external, or retired.
    private var launches: [LaunchSpec?] {
        var launches = [LaunchSpec?](repeating: nil, count: after.count)
        for (configured, index) in plan.indices.enumerated() {
            launches[index] = wanted.launches[configured]
        }
        return launches
    }

    /// The groups after the steps; creates the new ones.
    private static func entries(
        _ before: [ServingGroups.Entry], _ plan: ReloadPlan, _ wanted: ServingPlan,
        _ parts: Reloader.Parts
    ) -> [ServingGroups.Entry] {
        var entries = before
        var entropy = Entropy()
        for step in plan.steps {
            switch step {
            case .start(let index, let configured):
                let group = wanted.configuration.groups[configured]
                entries.append(
                    .init(
                        group: Group(
                            index: index, policy: group.policy, seed: entropy.word(),
                            executor: parts.relay, budget: parts.budget, now: .now),
                        configuration: group,
                        launchFingerprint: wanted.launches[configured]?.fingerprint))
            case .adjust(let index, let configured), .restart(let index, let configured),
                .keepServing(let index, let configured), .revive(let index, let configured, _):
                entries[index].isRetired = false
                if case .restart = step { entries[index].noteServing() }
                entries[index].configuration = wanted.configuration.groups[configured]
                entries[index].launchFingerprint = wanted.launches[configured]?.fingerprint
            case .retire(let index):
                entries[index].isRetired = true
            }
        }
        return entries
    }
}

extension ReloadPlan.Running.Group {
    /// The state of a running group that a reload compares.
    init(_ entry: ServingGroups.Entry) {
        let now = entry.group.snapshot(now: .now)
        let policy = entry.configuration.policy
        self.init(
            configuration: entry.configuration, launchFingerprint: entry.launchFingerprint,
            servingFingerprint: entry.servingFingerprint(now),
            isRetired: entry.isRetired,
            isScaled: now.isSpawned
                && (now.minimum != policy.minimum || now.maximum != policy.maximum))
    }
}
