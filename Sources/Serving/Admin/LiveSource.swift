internal import AdminAPI
internal import Backends
internal import Reactor
internal import ReverseProxy
internal import Supervision
internal import Synchronization

/// What the admin API shows of the running program.
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
    /// /proc is read at most once in this time, however often somebody asks.
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

    /// From now on the program is not ready.
    func beginDraining() { draining.store(true, ordering: .relaxed) }

    func stalledLoops() -> [String] { heartbeat.stalled() }

    func snapshot() -> AdminSnapshot {
        let now = MonotonicInstant.now
        let counted = proxy.statistics()
        let usage = usage(at: now)
        var snapshot = AdminSnapshot(
            version: Version.current, node: node, startedAt: startedAtWall / 1_000_000_000,
            now: now, wallNow: Clock.wall(), uptime: now - startedAt,
            draining: draining.load(ordering: .relaxed), traffic: traffic(counted),
            groups: groups.snapshots(now: now), usage: usage.byProcess,
            decisions: decisions.since(0, limit: .max))
        snapshot.groupTraffic = groupTraffic(counted.groups)
        snapshot.own = usage.own
        return snapshot
    }

    /// By name: a group that was taken away and came back counts on from where it was.
    private func groupTraffic(_ counted: [GroupTraffic]) -> [String: GroupTrafficSnapshot] {
        var traffic: [String: GroupTrafficSnapshot] = [:]
        for (group, counted) in zip(groups.all, counted) {
            var sum = traffic[group.name] ?? GroupTrafficSnapshot()
            for (index, count) in counted.requestsByStatusClass.enumerated() {
                sum.requestsByStatusClass[index] &+= count
            }
            sum.durations.add(counted.durations)
            sum.waits.add(counted.waits)
            traffic[group.name] = sum
        }
        return traffic
    }

    private func traffic(_ counted: ProxyStatistics) -> TrafficSnapshot {
        var traffic = TrafficSnapshot()
        traffic.connectionsActive = counted.connectionsActive
        traffic.connectionsAccepted = counted.connectionsAccepted
        traffic.tunnelsActive = counted.tunnelsActive
        traffic.tunnelsTotal = counted.tunnelsTotal
        traffic.requestsActive = counted.requestsActive
        traffic.requestsTotal = counted.requestsTotal
        traffic.requestsByStatusClass = counted.requestsByStatusClass
        traffic.requestSeconds = counted.requestSeconds
        traffic.latencyP50 = counted.latencyP50
        traffic.latencyP90 = counted.latencyP90
        traffic.latencyP99 = counted.latencyP99
        traffic.verdicts = counted.verdicts.map { .init(word: $0.word, count: $0.count) }
        traffic.retriesTotal = counted.retriesTotal
        traffic.ownCookiesRemoved = counted.ownCookiesRemoved
        traffic.accessLogLinesDropped = counted.logLinesDropped
        traffic.handshakesTotal = counted.handshakesTotal
        traffic.handshakesFailed = counted.handshakesFailed
        traffic.greetingsRefused = counted.greetingsRefused
        traffic.streamsTotal = counted.streamsTotal
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
