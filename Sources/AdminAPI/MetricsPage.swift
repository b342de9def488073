internal import Backends

/// `GET /metrics`: the snapshot under Prometheus names.
func metricsPage(_ snapshot: AdminSnapshot) -> String {
    var out = PrometheusText()
    writeProgram(snapshot, &out)
    writeOwnUsage(snapshot, &out)
    writeTraffic(snapshot.traffic, &out)
    writeGroupTraffic(snapshot, &out)
    for metric in groupMetrics {
        out.metric(metric.name, metric.kind, metric.help)
        for group in snapshot.groups {
            out.sample(metric.name, metric.value(group), ["group": group.name])
        }
    }
    writeStates(snapshot.groups, &out)
    for metric in processMetrics {
        out.metric(metric.name, metric.kind, metric.help)
        for group in snapshot.groups {
            // A process without a name yet has done nothing to count.
            for process in group.processes where !process.label.isEmpty {
                let usage = process.pid.flatMap { snapshot.usage[$0] }
                guard let value = metric.value(process, usage) else { continue }
                out.sample(metric.name, value, ["group": group.name, "process": process.label])
            }
        }
    }
    return out.text
}

private func writeProgram(_ snapshot: AdminSnapshot, _ out: inout PrometheusText) {
    out.metric("mooring_build_info", .gauge, "The running version.")
    out.sample("mooring_build_info", 1, ["version": snapshot.version])
    out.single(
        "mooring_start_time_seconds", .gauge, "Start as seconds since 1970.",
        snapshot.startedAt)
    out.single("mooring_draining", .gauge, "1 while Mooring shuts down.", snapshot.draining ? 1 : 0)
}

/// The data plane's counters, in the order of their table, where those that share a name are
/// adjacent.
private func writeTraffic(_ traffic: TrafficSnapshot, _ out: inout PrometheusText) {
    var described = ""
    for counter in TrafficCounter.allCases {
        let metric = counter.metric
        if metric.name != described {
            described = metric.name
            out.metric(metric.name, metric.kind, metric.help)
            if metric.kind == .summary { writeLatency(traffic, metric.name, &out) }
        }
        let name = metric.name + metric.suffix
        switch (metric.unit, metric.label) {
        case (.ones, nil): out.sample(name, traffic[counter])
        case (.ones, let label?): out.sample(name, traffic[counter], [label.name: label.value])
        case (.seconds, _): out.sample(name, Double(traffic[counter]) / 1e9)
        }
    }
}

private func writeLatency(
    _ traffic: TrafficSnapshot, _ name: String, _ out: inout PrometheusText
) {
    out.sample(name, traffic.latencyP50, ["quantile": "0.5"])
    out.sample(name, traffic.latencyP90, ["quantile": "0.9"])
    out.sample(name, traffic.latencyP99, ["quantile": "0.99"])
}

private func writeStates(_ groups: [GroupSnapshot], _ out: inout PrometheusText) {
    out.metric("mooring_group_state", .gauge, "1 for the state that the group is in.")
    for group in groups {
        for state in GroupSnapshot.State.allCases {
            out.sample(
                "mooring_group_state", group.state == state ? 1 : 0,
                ["group": group.name, "state": state.rawValue])
        }
    }
    out.metric("mooring_group_processes", .gauge, "Processes, by state.")
    for group in groups {
        for state in [ProcessSnapshot.State.starting, .ready, .draining, .stopping, .down] {
            out.sample(
                "mooring_group_processes", group.processes.count { $0.state == state },
                ["group": group.name, "state": state.rawValue])
        }
    }
}
