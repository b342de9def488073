package import FoundationEssentials

/// `GET /stats` as it goes over the wire; `mooring status` reads the same type back.
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
        /// On processes that are out of service.
        package var draining: Int
        /// Live ones whose cookie the client has never sent back.
        package var unconfirmed: Int
        /// Unconfirmed ones whose place or lease another session needed.
        package var givenWayTotal: UInt64
        /// Requests of sessions for which the table had no room: they keep no process alive.
        package var withoutLeaseTotal: UInt64
        /// The table of sessions is nearly full, or full.
        package var tableFull: Bool
    }

    /// A start that failed, or a process that ended by itself.
    package struct Failure: Codable, Equatable, Sendable {
        package var at: Date
        package var reason: String
        @OrNull package var exitStatus: Int32?
        @OrNull package var signal: Int32?
        /// The last lines of its output, oldest first.
        package var output: [String]
    }

    /// What starting processes came to.
    package struct Spawn: Codable, Equatable, Sendable {
        package var starting: Int
        package var spawnedTotal: UInt64
        package var failuresInARow: Int
        package var backoffSeconds: Double
        /// How long a start has waited with `max_processes` running; null: none does.
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
    /// A generation that is starting or did not start.
    @OrNull package var rollout: RolloutDocument?
    /// The last starts, stops and the like, oldest first.
    package var decisions: [DecisionDocument]
    package var processes: [ProcessDocument]
}

/// How far a new generation has come.
package struct RolloutDocument: Codable, Equatable, Sendable {
    package var generation: Int
    /// `starting` or `failed`.
    package var state: String
    @OrNull package var reason: String?
}

/// One decision and why it was made.
package struct DecisionDocument: Codable, Equatable, Sendable {
    /// Counts over all groups.
    package var sequence: UInt64
    package var at: Date
    package var kind: String
    package var reason: String
    /// The process's id; empty: it was about the group.
    package var process: String
    package var detail: String
}

/// One process of a group.
package struct ProcessDocument: Codable, Equatable, Sendable {
    /// A public label, not what the cookie holds.
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
    /// What it says of itself (`STATUS=`).
    package var statusText: String
    package var busy: Bool
    /// Why it is on its way out, or to be replaced.
    @OrNull package var stopReason: String?
    /// Until whom it is kept for at the latest: sessions from before a restart that may come back.
    @OrNull package var keptSecondsLeft: Double?
    /// Until its last sessions are given up.
    @OrNull package var drainSecondsLeft: Double?
}

/// A value that is written as `null` when it is missing, so that every key is always there.
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

/// The one form of JSON here: snake case, sorted keys, ISO 8601 dates.
package enum AdminJSON {
    /// UTF-8 bytes of one document.
    package static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        return try encoder.encode(value)
    }

    /// Reads what `encode` wrote.
    package static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws
        -> Value
    {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: data)
    }
}
