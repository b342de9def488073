internal import AdminAPI
internal import Backends
internal import ConfigFile
internal import Glibc
internal import Logging
internal import Reactor
internal import ReverseProxy
internal import Supervision
internal import Synchronization

/// Reads the configuration again and applies changes; an invalid one changes nothing.
///
/// Unchanged groups keep their processes, connections and counters. Changes are applied one at a
/// time, whatever their origin.
final class Reloader: Sendable {
    /// The running state.
    struct Current: Sendable {
        var plan: ServingPlan
        var settings: ProxySettings
    }

    /// The parts that a configuration change affects.
    struct Parts: Sendable {
        let groups: ServingGroups
        let proxy: Proxy
        let supervisor: Supervisor
        let budget: SpawnBudget
        let relay: OrderRelay
        let access: AdminAccess
        /// The configuration of the start, regardless of later changes of the file.
        let started: Configuration
    }

    /// The file to read; nil: the configuration came from the command line.
    private let file: String?
    private let environment: [String: String]
    private let tickets: TLSTicketKeys
    private let parts: Parts
    private let log: Logger
    private let current: Mutex<Current>
    /// In a mutex of its own, so that a shutdown does not wait for a reload.
    private let drain: Mutex<Interval>

    /// How long a shutdown waits for requests in flight, as set by the last reload.
    var drainTimeout: Interval { drain.withLock { $0 } }

    init(
        file: String?, environment: [String: String], tickets: TLSTicketKeys, parts: Parts,
        current: Current, log: Logger
    ) {
        self.file = file
        self.environment = environment
        self.tickets = tickets
        self.parts = parts
        self.log = log
        drain = Mutex(current.plan.configuration.timeouts.drain)
        self.current = Mutex(current)
    }

    /// - Throws: `AdminRefusal` with all problems; nothing has changed then.
    func reload() throws(AdminRefusal) -> ReloadReport {
        guard let file else {
            throw .invalid(
                "mooring run has no configuration file to read again; use mooring serve with one")
        }
        let result = current.withLock { current in
            Result<ReloadReport, AdminRefusal> { () throws(AdminRefusal) in
                let plan = try self.plan(from: file)
                let reload = try Reload(from: current, to: plan, parts: parts)
                try reload.apply(parts, to: &current)
                drain.withLock { $0 = plan.configuration.timeouts.drain }
                return reload.report
            }
        }
        let report = try result.get()
        log.notice(
            "configuration reloaded",
            metadata: [
                "added": .texts(report.added), "removed": .texts(report.removed),
                "changed": .texts(report.changed), "restarted": .texts(report.restarted),
                "needs_restart": .texts(report.needsRestart),
            ])
        for warning in report.warnings { log.warning("\(warning)") }
        return report
    }

    /// Starts a new generation of a group with its current configuration; returns its number.
    func restart(_ group: Group) -> Int {
        // Not while a reload numbers generations.
        current.withLock { _ in group.restart(now: .now) }
    }

    /// The groups whose processes would be started with other settings than the running ones.
    ///
    /// Missing files would prevent their start. Files that were missing before must not block a
    /// change of another group.
    private func groupsToStart(_ plan: ServingPlan) -> Set<String> {
        var running: [String: ServingGroups.Entry] = [:]
        for entry in parts.groups.snapshot where !entry.isRetired {
            running[entry.configuration.name] = entry
        }
        let changed = zip(plan.configuration.groups, plan.launches).filter { group, launch in
            guard let entry = running[group.name] else { return true }
            return launch?.fingerprint != entry.launchFingerprint
                || group.launch?.outputFile != entry.configuration.launch?.outputFile
        }
        return Set(changed.map(\.0.name))
    }

    private func plan(from file: String) throws(AdminRefusal) -> ServingPlan {
        do {
            let plan = try ServingPlan(
                ConfigurationLoading.reread(file), environment: environment, tickets: tickets)
            let problems = Preflight(
                filesOf: plan.configuration, in: groupsToStart(plan), environment: environment
            ).problems
            if !problems.isEmpty {
                throw ServingError.invalid("\(ConfigurationProblems(problems))")
            }
            return plan
        } catch let failure as ServingError {
            throw .badConfiguration(failure.message)
        } catch {
            throw .badConfiguration("\(error)")
        }
    }
}
