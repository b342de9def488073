/// What the data plane counts over all groups: one case for each number.
///
/// Counting is one addition at the case's index. `metric` has the names under which a number is
/// exported: a new case needs a row there and a line where it is counted, nothing else.
package enum TrafficCounter: Int, CaseIterable, Sendable {
    case connections, accepted, tunnels, tunnelsOpened, handshakes, handshakesFailed
    case greetingsRefused, streams, requestsActive
    case status1xx, status2xx, status3xx, status4xx, status5xx
    /// Summed over all requests.
    case requestNanoseconds
    case requests, retries, ownCookiesRemoved
    case files, filesOpen
    case verdictNone, verdictValid, verdictForged, verdictExpired, verdictUnknownKey
    case verdictOtherGroup, verdictGone, verdictMalformed
    case logLinesDropped

    /// The number of cases; `allCases` would allocate an array.
    package static var count: Int { Self.logLinesDropped.rawValue + 1 }
}

/// The Prometheus metric types.
package enum MetricKind: String, Sendable {
    case counter
    case gauge
    case histogram
    case summary
}

/// How a counter is exported.
package struct TrafficMetric: Sendable {
    /// The unit of a value.
    package enum Unit: Sendable {
        case ones
        /// Counted in nanoseconds.
        case seconds
    }

    /// The Prometheus name; several counters share one, and `label` distinguishes them.
    package let name: String
    package let kind: MetricKind
    package let help: String
    /// The path of the number in `/stats`.
    package let path: [String]
    package var label: (name: String, value: String)?
    /// For a summary: `_sum` or `_count`.
    package var suffix = ""
    package var unit = Unit.ones

    init(_ kind: MetricKind, _ name: String, _ path: String..., help: String) {
        self.name = "mooring_\(name)"
        self.kind = kind
        self.help = help
        self.path = path
    }
}

/// The table.
extension TrafficCounter {
    /// The counter's row.
    package var metric: TrafficMetric {
        switch self {
        case .connections:
            TrafficMetric(
                .gauge, "connections_active", "connections", "active",
                help: "Open client connections.")
        case .accepted:
            TrafficMetric(
                .counter, "connections_accepted_total", "connections", "accepted_total",
                help: "Client connections accepted.")
        case .tunnels:
            TrafficMetric(
                .gauge, "tunnels_active", "connections", "tunnels",
                help: "WebSockets and other upgrades that are open.")
        case .tunnelsOpened:
            TrafficMetric(
                .counter, "tunnels_total", "connections", "tunnels_total",
                help: "WebSockets and other upgrades opened.")
        case .handshakes: handshakes("done", "handshakes_total")
        case .handshakesFailed: handshakes("failed", "handshakes_failed_total")
        case .greetingsRefused:
            TrafficMetric(
                .counter, "greetings_refused_total", "connections", "greetings_refused_total",
                help: "Connections without the PROXY header or preface they need.")
        case .streams:
            TrafficMetric(
                .counter, "http2_streams_total", "requests", "streams_total",
                help: "Requests that came over HTTP/2.")
        case .requestsActive:
            TrafficMetric(
                .gauge, "requests_active", "requests", "active", help: "Requests in the works.")
        case .status1xx: responses("1xx")
        case .status2xx: responses("2xx")
        case .status3xx: responses("3xx")
        case .status4xx: responses("4xx")
        case .status5xx: responses("5xx")
        case .requestNanoseconds: durations("_sum", "seconds_total", .seconds)
        case .requests: durations("_count", "total", .ones)
        case .retries:
            TrafficMetric(
                .counter, "request_retries_total", "requests", "retries_total",
                help: "Requests tried on another process.")
        case .ownCookiesRemoved:
            TrafficMetric(
                .counter, "own_cookies_removed_total", "requests", "own_cookies_removed_total",
                help: "Set-Cookie fields of processes that named Mooring's cookie.")
        case .files:
            TrafficMetric(
                .counter, "file_responses_total", "requests", "files_total",
                help: "Responses with a file of a route, or that the client has it already.")
        case .filesOpen:
            TrafficMetric(
                .gauge, "files_open", "requests", "files_open",
                help: "Files on their way to clients, each with an open descriptor.")
        case .verdictNone: verdicts("none")
        case .verdictValid: verdicts("valid")
        case .verdictForged: verdicts("forged")
        case .verdictExpired: verdicts("expired")
        case .verdictUnknownKey: verdicts("unknown_key")
        case .verdictOtherGroup: verdicts("other_group")
        case .verdictGone: verdicts("gone")
        case .verdictMalformed: verdicts("malformed")
        case .logLinesDropped:
            TrafficMetric(
                .counter, "access_log_dropped_total", "requests", "log_lines_dropped_total",
                help: "Access log lines that could not be written.")
        }
    }

    private func handshakes(_ outcome: String, _ name: String) -> TrafficMetric {
        var metric = TrafficMetric(
            .counter, "tls_handshakes_total", "connections", name,
            help: "TLS handshakes with clients, by their outcome.")
        metric.label = ("outcome", outcome)
        return metric
    }

    private func responses(_ statusClass: String) -> TrafficMetric {
        var metric = TrafficMetric(
            .counter, "requests_total", "requests", "by_status", statusClass,
            help: "Responses sent, by class of status.")
        metric.label = ("class", statusClass)
        return metric
    }

    private func durations(
        _ suffix: String, _ name: String, _ unit: TrafficMetric.Unit
    ) -> TrafficMetric {
        var metric = TrafficMetric(
            .summary, "request_duration_seconds", "requests", name,
            help: "From the request's first byte to the response's last.")
        metric.suffix = suffix
        metric.unit = unit
        return metric
    }

    /// - Parameter word: the word of `Verdict`.
    private func verdicts(_ word: String) -> TrafficMetric {
        var metric = TrafficMetric(
            .counter, "cookie_verdicts_total", "verdicts", word,
            help: "Session cookies seen, by verdict.")
        metric.label = ("verdict", word)
        return metric
    }
}
