internal import Backends

/// The external servers that are asked for their health, by the ids of their tokens.
struct ServerWatches {
    private var watches: [UInt64: ServerWatch] = [:]
    private var lastID: UInt64 = 0

    var ids: [UInt64] { Array(watches.keys) }
    var nextDeadline: Int64? { watches.values.map(\.nextDeadline).min() }

    subscript(id: UInt64) -> ServerWatch? { watches[id] }

    /// Begins to ask the servers that are to be asked, and leaves the others alone.
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

    /// Asks a server, or gives its answer up, if it is time to; nil: it is not asked any more.
    mutating func advance(_ id: UInt64, now: Int64, jitter: Double) -> ServerWatch.Outcome? {
        watches[id]?.advance(now: now, jitter: jitter)
    }

    /// The connection of a question has news; nil: the server is not asked any more.
    mutating func connectionReported(
        _ id: UInt64, now: Int64, scratch: inout [UInt8]
    ) -> ServerWatch.Outcome? {
        watches[id]?.connectionReported(now: now, scratch: &scratch)
    }

    /// Gives up the question that is under way; the next one follows.
    mutating func end(_ id: UInt64) { watches[id]?.end() }

    /// Asks nobody any more; harmless when repeated.
    mutating func leave() {
        for id in ids { end(id) }
        watches = [:]
    }
}
