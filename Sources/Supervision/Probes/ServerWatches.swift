internal import Backends
internal import Reactor

/// The external servers with health checks, by the ids of their tokens.
struct ServerWatches {
    private var watches: [UInt64: ServerWatch] = [:]
    private var lastID: UInt64 = 0
    /// By group how TLS is spoken to its servers.
    var secureServers: [Int: [ProcessAddress: SecureServer]] = [:]

    var ids: [UInt64] { Array(watches.keys) }
    var nextDeadline: Int64? { watches.values.map(\.nextDeadline).min() }

    subscript(id: UInt64) -> ServerWatch? { watches[id] }

    /// Starts to check the given servers, and stops checking others.
    mutating func set(_ wanted: [(group: Int, server: CheckedServer)], now: Int64) {
        for (id, watch) in watches
        where !wanted.contains(where: { $0.group == watch.group && $0.server == watch.server }) {
            end(id)
            watches[id] = nil
        }
        for (group, server) in wanted
        where !watches.values.contains(where: { $0.group == group && $0.server == server }) {
            lastID += 1
            watches[lastID] = ServerWatch(server, group: group, now: now)
        }
    }

    /// Starts a server's check, or times it out, if due; nil: the server is no longer checked.
    mutating func advance(_ id: UInt64, now: Int64, jitter: Double) -> ServerWatch.Outcome? {
        let secure = watches[id].flatMap { watch in
            watch.server.securePlace.flatMap { secureServers[watch.group]?[$0] }
        }
        return watches[id]?.advance(now: now, jitter: jitter, secure: secure)
    }

    /// The connection of a check has an event; nil: the server is no longer checked.
    mutating func connectionReported(
        _ id: UInt64, now: Int64, scratch: inout [UInt8]
    ) -> ServerWatch.Outcome? {
        watches[id]?.connectionReported(now: now, scratch: &scratch)
    }

    /// Gives up the current check; the next one follows.
    mutating func end(_ id: UInt64) { watches[id]?.end() }

    /// Stops all checks; repeated calls are harmless.
    mutating func leave() {
        for id in ids { end(id) }
        watches = [:]
    }
}
