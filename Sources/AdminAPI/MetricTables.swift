internal import Backends

/// A metric with one sample per group.
struct GroupMetric: Sendable {
    var name: String
    var kind: PrometheusText.Kind
    var help: String
    var value: @Sendable (GroupSnapshot) -> Double
}

/// A metric with one sample per process; nil: not for this process.
struct ProcessMetric: Sendable {
    var name: String
    var kind: PrometheusText.Kind
    var help: String
    var value: @Sendable (ProcessSnapshot, UsageSnapshot?) -> Double?
}

let groupMetrics: [GroupMetric] = [
    gauge("processes_min", "Processes that are always kept.") { Double($0.minimum) },
    gauge("processes_max", "Processes at most.") { Double($0.maximum) },
    gauge("threads", "Requests at once per process.") { Double($0.threads) },
    gauge("queue_length", "Requests waiting for any process.") { Double($0.queueLength) },
    gauge("queue_limit", "Requests that may wait.") { Double($0.queueLimit) },
    gauge("queue_oldest_seconds", "The longest wait right now.") { $0.queueOldest.seconds },
    total("queue_rejected_total", "Requests refused for a full queue.") { $0.queueRejectedTotal },
    total("queue_timed_out_total", "Requests that waited too long.") { $0.queueTimedOutTotal },
    gauge("sessions_live", "Sessions with a live lease.") { Double($0.sessionsLive) },
    total("sessions_created_total", "Sessions begun.") { $0.sessionsCreatedTotal },
    total("sessions_moved_total", "Sessions moved to another process.") { $0.sessionsMovedTotal },
    total("sessions_lost_total", "Sessions whose process has gone.") { $0.sessionsLostTotal },
    gauge("sessions_unconfirmed", "Live sessions whose cookie has never come back.") {
        Double($0.sessionsUnconfirmed)
    },
    total("sessions_given_way_total", "Unconfirmed sessions whose place another needed.") {
        $0.sessionsGivenWayTotal
    },
    total("sessions_without_lease_total", "Requests of sessions that had no room in the table.") {
        $0.sessionsWithoutLeaseTotal
    },
    gauge("processes_starting", "Starts under way.") { Double($0.starting) },
    total("spawned_total", "Processes started.") { $0.spawnedTotal },
    total("start_failures_total", "Starts that failed.") { $0.startFailuresTotal },
    gauge("start_failures_in_a_row", "Failed starts since the last good one.") {
        Double($0.failuresInARow)
    },
    gauge("backoff_seconds", "Time until the next start is tried.") { $0.backoff.seconds },
    total("limit_reached_total", "How often max forbade a wanted process.") {
        $0.limitReachedTotal
    },
]

let processMetrics: [ProcessMetric] = [
    ProcessMetric(
        name: "mooring_process_in_flight", kind: .gauge, help: "Requests on the process.",
        value: { process, _ in Double(process.inFlight) }),
    ProcessMetric(
        name: "mooring_process_queued", kind: .gauge, help: "Requests waiting for the process.",
        value: { process, _ in Double(process.queued) }),
    ProcessMetric(
        name: "mooring_process_sessions", kind: .gauge, help: "Sessions moored to the process.",
        value: { process, _ in Double(process.sessions) }),
    ProcessMetric(
        name: "mooring_process_requests_total", kind: .counter, help: "Requests served.",
        value: { process, _ in Double(process.requestsTotal) }),
    ProcessMetric(
        name: "mooring_process_errors_total", kind: .counter, help: "Requests that failed.",
        value: { process, _ in Double(process.errorsTotal) }),
    ProcessMetric(
        name: "mooring_process_slots", kind: .gauge, help: "Requests at once that it may have now.",
        value: { process, _ in Double(process.slots) }),
    ProcessMetric(
        name: "mooring_server_weight", kind: .gauge,
        help: "The share of new sessions of a server, less while it starts slowly.",
        value: { process, _ in process.server.map { Double($0.weight) * $0.share } }),
    ProcessMetric(
        name: "mooring_server_outages_total", kind: .counter,
        help: "How often a server went out of service because it failed.",
        value: { process, _ in process.server.map { Double($0.outagesTotal) } }),
    ProcessMetric(
        name: "mooring_server_failed_checks_total", kind: .counter,
        help: "Health checks that a server failed.",
        value: { process, _ in process.server.map { Double($0.failedChecksTotal) } }),
    ProcessMetric(
        name: "mooring_process_cpu_seconds_total", kind: .counter, help: "CPU time used.",
        value: { _, usage in usage?.cpuSeconds }),
    ProcessMetric(
        name: "mooring_process_resident_memory_bytes", kind: .gauge, help: "Resident memory.",
        value: { _, usage in usage.map { Double($0.residentBytes) } }),
]

private func gauge(
    _ name: String, _ help: String, _ value: @escaping @Sendable (GroupSnapshot) -> Double
) -> GroupMetric {
    GroupMetric(name: "mooring_group_\(name)", kind: .gauge, help: help, value: value)
}

private func total(
    _ name: String, _ help: String, _ value: @escaping @Sendable (GroupSnapshot) -> UInt64
) -> GroupMetric {
    GroupMetric(name: "mooring_group_\(name)", kind: .counter, help: help) { Double(value($0)) }
}
