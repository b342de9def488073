package import FoundationEssentials

/// `GET /stats` on the wire; `mooring status` parses it into the same type.
package struct StatsDocument: Codable, Equatable, Sendable {
    package var version: String
    package var node: String
    package var startedAt: Date
    package var uptimeSeconds: Double
    /// Client connections.
    package var connections: [String: StatsValue]
    /// Exchanges since the start.
    package var requests: [String: StatsValue]
    /// Session cookies seen, by verdict.
    package var verdicts: [String: StatsValue]
    package var groups: [GroupDocument]
}

/// One group of `GET /stats`, and the whole of `GET /stats/GROUP`.
package struct GroupDocument: Codable, Equatable, Sendable {
    /// Whether Mooring starts the processes or only balances to them.
    package enum Kind: String, Codable, Sendable {
        case spawned
        case external
    }

    /// Requests waiting for any process of the group.
    package struct Queue: Codable, Equatable, Sendable {
        package var length: Int
        package var limit: Int
        package var oldestSeconds: Double
        package var rejectedTotal: UInt64
        package var timedOutTotal: UInt64
    }

    /// Sessions of the group.
    package struct Sessions: Codable, Equatable, Sendable {
        package var live: Int
        package var createdTotal: UInt64
        package var movedTotal: UInt64
        package var lostTotal: UInt64
        /// Sessions on processes that are out of service.
        package var draining: Int
        /// Live sessions whose cookie the client has never sent back.
        package var unconfirmed: Int
        /// Unconfirmed sessions whose place or lease another session needed.
        package var givenWayTotal: UInt64
        /// Requests of sessions that did not fit into the table: they keep no process alive.
        package var withoutLeaseTotal: UInt64
        /// The table of sessions is nearly full, or full.
        package var tableFull: Bool
    }

    /// A failed start, or a process that exited on its own.
    package struct Failure: Codable, Equatable, Sendable {
        package var at: Date
        package var reason: String
        @OrNull package var exitStatus: Int32?
        @OrNull package var signal: Int32?
        /// The last lines of its output, oldest first.
        package var output: [String]
    }

    /// Statistics of process starts.
    package struct Spawn: Codable, Equatable, Sendable {
        package var starting: Int
        package var spawnedTotal: UInt64
        package var failuresInARow: Int
        package var backoffSeconds: Double
        /// How long a start has waited because `max_processes` are running; null: none waits.
        @OrNull package var waitingForRoomSeconds: Double?
        @OrNull package var lastFailure: Failure?
    }

    package var name: String
    package var kind: Kind
    package var state: String
    package var generation: Int
    package var min: Int
    package var max: Int
    package var threads: Int
    package var queue: Queue
    package var sessions: Sessions
    package var spawn: Spawn
    package var limitReachedTotal: UInt64
    /// Names of servers that have no address yet.
    package var unresolved: [String]
    /// A generation that is starting or has failed to start.
    @OrNull package var rollout: RolloutDocument?
    /// The last starts, stops and the like, oldest first.
    package var decisions: [DecisionDocument]
    package var processes: [ProcessDocument]
}

/// The progress of a new generation.
package struct RolloutDocument: Codable, Equatable, Sendable {
    package var generation: Int
    /// `starting` or `failed`.
    package var state: String
    @OrNull package var reason: String?
}

/// One decision and why it was made.
package struct DecisionDocument: Codable, Equatable, Sendable {
    /// Numbered over all groups.
    package var sequence: UInt64
    package var at: Date
    package var kind: String
    package var reason: String
    /// The process's id; empty for a decision about the group.
    package var process: String
    package var detail: String
}

/// One process of a group.
package struct ProcessDocument: Codable, Equatable, Sendable {
    /// A public label, not the id in the cookie.
    package var id: String
    @OrNull package var pid: Int32?
    package var state: String
    @OrNull package var reason: String?
    package var generation: Int
    package var transient: Bool
    @OrNull package var address: String?
    package var inFlight: Int
    package var queued: Int
    package var sessions: Int
    package var requestsTotal: UInt64
    package var errorsTotal: UInt64
    package var startedAt: Date
    @OrNull package var readyAfterSeconds: Double?
    package var idleSeconds: Double
    @OrNull package var cpuSeconds: Double?
    @OrNull package var rssBytes: UInt64?
    /// Open WebSockets and other upgrades.
    package var tunnels: Int
    /// How many concurrent requests it may have now.
    package var slots: Int
    /// More about an external server; null: a process of Mooring's.
    @OrNull package var server: ServerDocument?
    /// The text of its last `STATUS=`.
    package var statusText: String
    package var busy: Bool
    /// Why it is going out of service, or will be replaced.
    @OrNull package var stopReason: String?
    /// Until when at most it is kept for sessions from before a restart that may return.
    @OrNull package var keptSecondsLeft: Double?
    /// Until its last sessions are given up.
    @OrNull package var drainSecondsLeft: Double?
}

/// What only external servers have.
package struct ServerDocument: Codable, Equatable, Sendable {
    package var weight: Int
    /// The part of its weight and slots that it has in a slow start, up to 1.
    package var share: Double
    /// Until it has the whole; null: it has.
    @OrNull package var slowStartSecondsLeft: Double?
    /// How often it went out of service because it failed.
    package var outagesTotal: UInt64
    package var failedChecksTotal: UInt64
}

/// A value that is encoded as `null` when it is missing, so that every key is always present.
@propertyWrapper
package struct OrNull<Value: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue {
            try container.encode(wrappedValue)
        } else {
            try container.encodeNil()
        }
    }
}

/// The JSON format used here: snake case, sorted keys, ISO 8601 dates.
package enum AdminJSON {
    /// UTF-8 bytes of one document.
    package static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        return try encoder.encode(value)
    }

    /// Decodes what `encode` wrote.
    package static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws
        -> Value
    {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: data)
    }
}
