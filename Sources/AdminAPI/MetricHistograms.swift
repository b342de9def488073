internal import Backends

/// A metric with one histogram per group.
struct GroupHistogram: Sendable {
    var name: String
    var help: String
    var value: @Sendable (GroupSnapshot, GroupTraffic) -> DurationHistogram
}

let groupHistograms: [GroupHistogram] = [
    GroupHistogram(
        name: "mooring_group_request_duration_seconds",
        help: "From a request's first byte to the response's last, or to a tunnel's beginning.",
        value: { _, traffic in traffic.durations }),
    GroupHistogram(
        name: "mooring_group_queue_duration_seconds",
        help: "From asking for a process to having one, or giving up.",
        value: { _, traffic in traffic.waits }),
    GroupHistogram(
        name: "mooring_group_start_duration_seconds",
        help: "From the start of a process to its being ready.",
        value: { group, _ in group.startDurations }),
]

/// Writes the groups' traffic: responses by status class, and the histograms.
func writeGroupTraffic(_ snapshot: AdminSnapshot, _ out: inout PrometheusText) {
    let requests = "mooring_group_requests_total"
    out.metric(requests, .counter, "Responses to the group's requests, by class of status.")
    for group in snapshot.groups {
        let traffic = snapshot.groupTraffic[group.name] ?? GroupTraffic()
        for (index, count) in traffic.requestsByStatusClass.enumerated() {
            out.sample(requests, count, ["group": group.name, "class": "\(index + 1)xx"])
        }
    }
    for metric in groupHistograms {
        out.metric(metric.name, .histogram, metric.help)
        for group in snapshot.groups {
            let traffic = snapshot.groupTraffic[group.name] ?? GroupTraffic()
            out.histogram(metric.name, metric.value(group, traffic), group: group.name)
        }
    }
}

/// Writes the program's own usage, under the names of the Prometheus client libraries.
func writeOwnUsage(_ snapshot: AdminSnapshot, _ out: inout PrometheusText) {
    guard let own = snapshot.own else { return }
    out.single(
        "process_cpu_seconds_total", .counter, "CPU time of Mooring itself, in seconds.",
        own.cpuSeconds)
    out.single(
        "process_resident_memory_bytes", .gauge, "Resident memory of Mooring itself.",
        own.residentBytes)
    out.single(
        "process_virtual_memory_bytes", .gauge, "Virtual memory of Mooring itself.",
        own.virtualBytes)
    out.single("process_threads", .gauge, "Threads of Mooring itself.", own.threads)
    out.single(
        "process_open_fds", .gauge, "Descriptors that Mooring has open.",
        own.openDescriptors)
    if let limit = own.descriptorLimit {
        out.single("process_max_fds", .gauge, "Descriptors that Mooring may have open.", limit)
    }
    out.single(
        "process_start_time_seconds", .gauge, "Start of Mooring as seconds since 1970.",
        snapshot.startedAt)
}
