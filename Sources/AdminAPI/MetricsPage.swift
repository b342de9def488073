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
            // A process that has no name yet has done nothing that could be counted.
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

private func writeTraffic(_ traffic: TrafficSnapshot, _ out: inout PrometheusText) {
    out.single(
        "mooring_connections_active", .gauge, "Open client connections.",
        traffic.connectionsActive)
    out.single(
        "mooring_connections_accepted_total", .counter, "Client connections accepted.",
        traffic.connectionsAccepted)
    out.single(
        "mooring_tunnels_active", .gauge, "WebSockets and other upgrades that are open.",
        traffic.tunnelsActive)
    out.single(
        "mooring_tunnels_total", .counter, "WebSockets and other upgrades opened.",
        traffic.tunnelsTotal)
    let handshakes = "mooring_tls_handshakes_total"
    out.metric(handshakes, .counter, "TLS handshakes with clients, by their outcome.")
    out.sample(handshakes, traffic.handshakesTotal, ["outcome": "done"])
    out.sample(handshakes, traffic.handshakesFailed, ["outcome": "failed"])
    let refused = "mooring_greetings_refused_total"
    out.single(
        refused, .counter, "Connections without the PROXY header or preface they need.",
        traffic.greetingsRefused)
    out.single(
        "mooring_http2_streams_total", .counter, "Requests that came over HTTP/2.",
        traffic.streamsTotal)
    out.single("mooring_requests_active", .gauge, "Requests in the works.", traffic.requestsActive)
    out.metric("mooring_requests_total", .counter, "Responses sent, by class of status.")
    for (index, count) in traffic.requestsByStatusClass.enumerated() {
        out.sample("mooring_requests_total", count, ["class": "\(index + 1)xx"])
    }
    let latency = "mooring_request_duration_seconds"
    out.metric(latency, .summary, "From the request's first byte to the response's last.")
    out.sample(latency, traffic.latencyP50, ["quantile": "0.5"])
    out.sample(latency, traffic.latencyP90, ["quantile": "0.9"])
    out.sample(latency, traffic.latencyP99, ["quantile": "0.99"])
    out.sample("\(latency)_sum", traffic.requestSeconds)
    out.sample("\(latency)_count", traffic.requestsTotal)
    out.single(
        "mooring_request_retries_total", .counter, "Requests tried on another process.",
        traffic.retriesTotal)
    let removed = "mooring_own_cookies_removed_total"
    out.single(
        removed, .counter, "Set-Cookie fields of processes that named Mooring's cookie.",
        traffic.ownCookiesRemoved)
    out.metric("mooring_cookie_verdicts_total", .counter, "Session cookies seen, by verdict.")
    for tally in traffic.verdicts {
        out.sample("mooring_cookie_verdicts_total", tally.count, ["verdict": tally.word])
    }
    let dropped = "mooring_access_log_dropped_total"
    out.single(
        dropped, .counter, "Access log lines that could not be written.",
        traffic.accessLogLinesDropped)
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
