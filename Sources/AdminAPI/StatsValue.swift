package import Backends

/// A number of `/stats`, or a table of them by name.
package enum StatsValue: Codable, Equatable, Sendable {
    case whole(UInt64)
    case fraction(Double)
    case table([String: StatsValue])

    /// Seconds to the microsecond; whole numbers are encoded, and decoded, as `whole`.
    init(seconds: Double) {
        let seconds = rounded(seconds)
        self = UInt64(exactly: seconds).map(Self.whole) ?? .fraction(seconds)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(UInt64.self) {
            self = .whole(number)
        } else if let number = try? container.decode(Double.self) {
            self = .fraction(number)
        } else {
            self = .table(try container.decode([String: StatsValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .whole(let number): try container.encode(number)
        case .fraction(let number): try container.encode(number)
        case .table(let table): try container.encode(table)
        }
    }

    fileprivate var table: [String: StatsValue] {
        if case .table(let table) = self { table } else { [:] }
    }
}

extension [String: StatsValue] {
    /// The value at a path of names.
    package subscript(path path: some Collection<String>) -> StatsValue? {
        get {
            guard let name = path.first, let value = self[name] else { return nil }
            return path.count == 1 ? value : value.table[path: path.dropFirst()]
        }
        set {
            guard let name = path.first else { return }
            guard path.count > 1 else {
                self[name] = newValue
                return
            }
            var inner = self[name]?.table ?? [:]
            inner[path: path.dropFirst()] = newValue
            self[name] = .table(inner)
        }
    }
}

extension StatsDocument {
    /// The tables of the data plane's counters, by the paths of the counters.
    static func tables(of traffic: TrafficSnapshot) -> [String: StatsValue] {
        var tables: [String: StatsValue] = [:]
        for counter in TrafficCounter.allCases {
            let metric = counter.metric
            let count = traffic[counter]
            tables[path: metric.path] =
                switch metric.unit {
                case .ones: .whole(count)
                case .seconds: StatsValue(seconds: Double(count) / 1e9)
                }
        }
        let latency = [
            ("p50", traffic.latencyP50), ("p90", traffic.latencyP90), ("p99", traffic.latencyP99),
        ]
        for (name, seconds) in latency {
            tables[path: Self.latency(name)] = StatsValue(seconds: seconds)
        }
        return tables
    }

    /// The value of a counter, for readers of a document, in whole units; 0 if missing.
    package subscript(_ counter: TrafficCounter) -> UInt64 {
        switch value(at: counter.metric.path) {
        case .whole(let number): number
        case .fraction(let number): UInt64(exactly: number.rounded()) ?? 0
        case .table, nil: 0
        }
    }

    /// `p50`, `p90` or `p99`, in seconds; 0 if missing.
    package func latencySeconds(_ name: String) -> Double {
        switch value(at: Self.latency(name)) {
        case .whole(let number): Double(number)
        case .fraction(let number): number
        case .table, nil: 0
        }
    }

    private static func latency(_ name: String) -> [String] {
        ["requests", "latency_seconds", name]
    }

    private func value(at path: [String]) -> StatsValue? {
        let tables: [String: StatsValue] = [
            "connections": .table(connections), "requests": .table(requests),
            "verdicts": .table(verdicts),
        ]
        return tables[path: path]
    }
}
