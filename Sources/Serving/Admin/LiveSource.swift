internal import AdminAPI
internal import Backends
internal import Reactor
internal import ReverseProxy
internal import Supervision
internal import Synchronization

/// The running program's state for the admin API.
final class LiveSource: AdminSource {
    private struct Usage {
        var takenAt = MonotonicInstant(nanoseconds: .min)
        var own = OwnUsageSnapshot()
        var byProcess: [Int32: UsageSnapshot] = [:]
    }

    private let node: String
    private let proxy: Proxy
    private let supervisor: Supervisor
    private let groups: ServingGroups
    private let decisions: DecisionLog
    private let heartbeat: Heartbeat
    private let startedAt = MonotonicInstant.now
    private let startedAtWall = Clock.wall()
    private let draining = Atomic(false)
    private let usage = Mutex(Usage())
    /// /proc is read at most once in this time, however many requests there are.
    private static let usageAge = Interval.seconds(1)

    init(
        node: String, proxy: Proxy, supervisor: Supervisor, groups: ServingGroups,
        decisions: DecisionLog, heartbeat: Heartbeat
    ) {
        self.node = node
        self.proxy = proxy
        self.supervisor = supervisor
        self.groups = groups
        self.decisions = decisions
        self.heartbeat = heartbeat
    }

    /// The program is not ready from now on.
    func beginDraining() { draining.store(true, ordering: .relaxed) }

    func stalledLoops() -> [String] { heartbeat.stalled() }

    func snapshot() -> AdminSnapshot {
        let now = MonotonicInstant.now
        let counted = proxy.statistics()
        let usage = usage(at: now)
        var snapshot = AdminSnapshot(
            version: Version.current, node: node, startedAt: startedAtWall / 1_000_000_000,
            now: now, wallNow: Clock.wall(), uptime: now - startedAt,
            draining: draining.load(ordering: .relaxed), traffic: counted.traffic,
            groups: groups.snapshots(now: now), usage: usage.byProcess,
            decisions: decisions.since(0, limit: .max))
        snapshot.groupTraffic = groupTraffic(counted.groups)
        snapshot.own = usage.own
        return snapshot
    }

    /// By name: a group that was removed and came back continues its counts.
    private func groupTraffic(_ counted: [GroupTraffic]) -> [String: GroupTraffic] {
        var traffic: [String: GroupTraffic] = [:]
        for (group, counted) in zip(groups.all, counted) {
            traffic[group.name, default: GroupTraffic()].add(counted)
        }
        return traffic
    }

    private func usage(at now: MonotonicInstant) -> Usage {
        usage.withLock { usage in
            if usage.takenAt + Self.usageAge < now {
                usage.byProcess = supervisor.usage().mapValues { used in
                    UsageSnapshot(
                        cpuSeconds: used.cpuSeconds,
                        residentBytes: UInt64(clamping: used.residentBytes))
                }
                usage.own = .now()
                usage.takenAt = now
            }
            return usage
        }
    }
}
