internal import AdminAPI
internal import Backends
internal import FoundationEssentials
internal import Serving

/// The statistics as a table for people.
struct StatusTable {
    let text: String

    private static let outputLines = 10
    private static let heads = [
        "PROCESS", "STATE", "PID", "SESSIONS", "IN FLIGHT", "QUEUED", "REQUESTS", "ERRORS", "CPU",
        "RSS", "UPTIME",
    ]

    init(_ stats: StatsDocument) {
        let now = stats.startedAt.addingTimeInterval(stats.uptimeSeconds)
        let parts = stats.groups.map { Self.section($0, now: now) }
        text = ([Self.summary(stats)] + parts).joined(separator: "\n")
    }

    private static func summary(_ stats: StatsDocument) -> String {
        """
        Mooring \(Terminal.printable(stats.version)) on \(Terminal.printable(stats.node)), \
        up \(span(stats.uptimeSeconds))
        \(stats[.connections]) connections, \(stats[.requestsActive]) requests now, \
        \(stats[.requests]) in all, \(stats[.status5xx]) of them 5xx; \
        p50 \(milliseconds(stats.latencySeconds("p50"))), \
        p99 \(milliseconds(stats.latencySeconds("p99")))

        """
    }

    private static func section(_ group: GroupDocument, now: Date) -> String {
        let ready = group.processes.count { $0.state == "ready" }
        let wanted = group.min == group.max ? "\(group.max)" : "\(group.min) to \(group.max)"
        let slots = group.threads == 1 ? "1 thread" : "\(group.threads) threads"
        let noun = group.kind == .external ? "servers" : "processes"
        let isLeaving = group.state == "stopped" && !group.processes.isEmpty
        let left = group.processes.count == 1 ? "1 process" : "\(group.processes.count) processes"
        var lines = [
            isLeaving
                ? "\(Terminal.printable(group.name)): no longer configured, \(left) left for"
                    + " \(group.sessions.live) sessions"
                : "\(Terminal.printable(group.name)): \(group.state), \(ready) of \(wanted) \(noun)"
                    + " ready, \(slots) each, \(group.sessions.live) sessions,"
                    + " queue \(group.queue.length) of \(group.queue.limit)"
        ]
        let hasFailedRollout = group.rollout?.state == "failed"
        if hasFailedRollout, let rollout = group.rollout {
            lines.append(
                "  generation \(rollout.generation) did not start and is given up; generation"
                    + " \(group.generation) serves on")
        }
        let isTroubled = !["ok", "full"].contains(group.state) || group.spawn.failuresInARow > 0
        if isTroubled || hasFailedRollout, let failure = group.spawn.lastFailure {
            lines += Self.lines(of: failure, spawn: group.spawn, now: now)
        }
        if !group.unresolved.isEmpty {
            let names = group.unresolved.map(Terminal.printable).joined(separator: ", ")
            lines.append("  no address is known yet of \(names)")
        }
        if !group.processes.isEmpty {
            lines += aligned([heads] + group.processes.map { row($0, now: now) })
            lines += group.processes.compactMap { hold($0, now: now) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(
        of failure: GroupDocument.Failure, spawn: GroupDocument.Spawn, now: Date
    ) -> [String] {
        let ago = span(now.timeIntervalSince(failure.at))
        let next = spawn.backoffSeconds > 0 ? "; next try in \(span(spawn.backoffSeconds))" : ""
        let head = "  last failure \(ago) ago: \(Terminal.printable(failure.reason))\(next)"
        return [head] + output(of: failure)
    }

    /// The last output lines of a process that failed to start.
    static func output(of failure: GroupDocument.Failure?) -> [String] {
        (failure?.output ?? []).suffix(outputLines).map { "  | \(Terminal.printable($0))" }
    }

    /// Why an adopted process is kept though it seems idle.
    private static func hold(_ process: ProcessDocument, now: Date) -> String? {
        guard let left = process.keptSecondsLeft else { return nil }
        return """
              \(Terminal.printable(process.id)): kept for sessions from before the restart, until \
            \(now.addingTimeInterval(left).formatted(.iso8601)) at the latest
            """
    }

    private static func row(_ process: ProcessDocument, now: Date) -> [String] {
        [
            process.id.isEmpty ? process.address ?? "-" : process.id,
            process.transient ? "\(process.state)*" : process.state,
            process.pid.map { "\($0)" } ?? "-",
            "\(process.sessions)", "\(process.inFlight)", "\(process.queued)",
            "\(process.requestsTotal)", "\(process.errorsTotal)",
            process.cpuSeconds.map { "\(decimal($0)) s" } ?? "-",
            process.rssBytes.map { "\(decimal(Double($0) / 1_048_576)) MiB" } ?? "-",
            span(now.timeIntervalSince(process.startedAt)),
        ].map(Terminal.printable)
    }

    /// Left-aligned columns, two spaces apart, without trailing spaces.
    private static func aligned(_ rows: [[String]]) -> [String] {
        let widths = heads.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            var line = "  " + cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }

    /// `850 ms`, `12 s`, `3m 20s`, `2h 5m`, `4d 6h`.
    static func span(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "-" }
        let whole = max(Int64(seconds.rounded()), 0)
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return "\(whole / 60)m \(whole % 60)s"
        case ..<86_400: return "\(whole / 3600)h \(whole % 3600 / 60)m"
        default: return "\(whole / 86_400)d \(whole % 86_400 / 3600)h"
        }
    }

    /// Two significant digits: a quantile is the bound of a bucket, no more exact.
    private static func milliseconds(_ seconds: Double) -> String {
        let value = seconds * 1000
        guard value.isFinite, value < 1e12 else { return "-" }
        return switch value {
        case ..<1: "\((value * 100).rounded() / 100) ms"
        case ..<10: "\((value * 10).rounded() / 10) ms"
        case ..<100: "\(Int(value.rounded())) ms"
        default: "\(Int((value / 10).rounded()) * 10) ms"
        }
    }

    private static func decimal(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
