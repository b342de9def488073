package import Backends

/// The data source of the admin API; queried for every request, from any thread.
package protocol AdminSource: Sendable {
    /// The current state; bounded work, no waiting.
    func snapshot() -> AdminSnapshot
    /// The loops of the program that take no turns, as text; touches nothing that they may lock.
    func stalledLoops() -> [String]
}

/// The whole program at one instant.
package struct AdminSnapshot: Sendable {
    package var version: String
    /// The host name.
    package var node: String
    /// Seconds since the Unix era at which the program started.
    package var startedAt: Int64
    /// The two clocks at the instant of the snapshot, to convert monotonic times into dates.
    package var now: MonotonicInstant
    /// Nanoseconds since the Unix era.
    package var wallNow: Int64
    package var uptime: Interval
    /// Shutting down: nothing new is accepted, and `/readyz` fails.
    package var draining: Bool
    package var traffic: TrafficSnapshot
    package var groups: [GroupSnapshot]
    /// By pid; those without an entry are shown as unknown.
    package var usage: [Int32: UsageSnapshot]
    /// The last decisions over all groups, oldest first.
    package var decisions: [Decision]
    /// By group name; those without an entry have had no requests.
    package var groupTraffic: [String: GroupTraffic] = [:]
    /// The program's own usage; nil: unknown.
    package var own: OwnUsageSnapshot?

    package init(
        version: String, node: String, startedAt: Int64, now: MonotonicInstant, wallNow: Int64,
        uptime: Interval, draining: Bool = false, traffic: TrafficSnapshot = TrafficSnapshot(),
        groups: [GroupSnapshot] = [], usage: [Int32: UsageSnapshot] = [:],
        decisions: [Decision] = []
    ) {
        self.version = version
        self.node = node
        self.startedAt = startedAt
        self.now = now
        self.wallNow = wallNow
        self.uptime = uptime
        self.draining = draining
        self.traffic = traffic
        self.groups = groups
        self.usage = usage
        self.decisions = decisions
    }
}

/// The resource usage of a process and its child processes, from the system.
package struct UsageSnapshot: Equatable, Sendable {
    package var cpuSeconds: Double
    package var residentBytes: UInt64

    package init(cpuSeconds: Double, residentBytes: UInt64) {
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
    }
}

/// The resource usage of the program itself, from the system.
package struct OwnUsageSnapshot: Equatable, Sendable {
    package var cpuSeconds = 0.0
    package var residentBytes: UInt64 = 0
    package var virtualBytes: UInt64 = 0
    package var threads = 0
    package var openDescriptors = 0
    /// Nil: no limit.
    package var descriptorLimit: UInt64?

    package init() {}
}
