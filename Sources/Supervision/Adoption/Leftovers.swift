internal import Backends
internal import Glibc
internal import Reactor
internal import Settings

/// Processes of an earlier balancer that no group has room for; they are being stopped.
///
/// Their output is not read.
struct Leftovers {
    struct Leftover {
        var child: ChildProcess
        var record: ProcessRecord
        var cgroup: Cgroup?
        /// When it is killed; nil: it was killed.
        fileprivate(set) var killAt: Int64?
    }

    /// What a process has after SIGTERM whose record does not say its group's `stop_timeout`.
    private static let patience: Int64 = 10_000_000_000

    /// By the ids of their tokens.
    private var leftovers: [UInt64: Leftover] = [:]
    private var lastID: UInt64 = 0

    var isEmpty: Bool { leftovers.isEmpty }
    var values: [Leftover] { Array(leftovers.values) }
    /// When the next one is killed.
    var nextDeadline: Int64? { leftovers.values.compactMap(\.killAt).min() }

    subscript(id: UInt64) -> Leftover? { leftovers[id] }

    /// Stops a process whose identity was verified; returns its id.
    mutating func stop(
        _ child: ChildProcess, of record: ProcessRecord, in cgroup: Cgroup?, now: Int64
    ) -> UInt64 {
        child.signalGroup(SIGTERM)
        // A suspended process would not receive SIGTERM.
        child.signalGroup(SIGCONT)
        lastID += 1
        leftovers[lastID] = Leftover(
            child: child, record: record, cgroup: cgroup,
            killAt: now + (record.retirement?.stopTimeout.nanoseconds ?? Self.patience))
        return lastID
    }

    /// Kills those whose time is up.
    mutating func killDue(now: Int64) {
        for (id, leftover) in leftovers {
            if let time = leftover.killAt, time <= now { kill(id) }
        }
    }

    mutating func kill(_ id: UInt64) {
        leftovers[id]?.killAt = nil
        leftovers[id]?.child.signalGroup(SIGKILL)
        leftovers[id]?.cgroup?.kill()
    }

    mutating func remove(_ id: UInt64) { leftovers[id] = nil }

    mutating func removeAll() { leftovers = [:] }
}
