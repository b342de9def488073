internal import Exchanges
internal import Reactor
internal import Settings

/// The invariants of a loop, valid at the end of every turn.
struct LoopInvariants {
    /// Entries checked per turn, on average.
    private static let placesPerTurn = 64

    private let downstreams: Downstreams
    private let upstreams: Upstreams
    private let exchanges: ExchangeTable
    private let buffers: Buffers
    private let counters: LoopCounters
    private let slots: Slots
    private let transfers: FileTransfers
    /// Turns since they were last checked.
    private var turnsUnchecked = 0

    init(_ owners: Owners, slots: Slots) {
        downstreams = owners.downstreams
        upstreams = owners.upstreams
        exchanges = owners.exchanges
        buffers = owners.buffers
        counters = owners.counters
        transfers = owners.transfers
        self.slots = slots
    }

    /// Traps in debug builds if an invariant is violated.
    ///
    /// A loop with many connections is checked every few turns, so the check takes a small share of
    /// its time under any load.
    mutating func check() {
        #if DEBUG
            turnsUnchecked += 1
            let places =
                downstreams.slab.untouched + upstreams.slab.untouched + exchanges.slab.untouched
            guard turnsUnchecked * Self.placesPerTurn >= places else { return }
            turnsUnchecked = 0
            if let broken = brokenInvariant { preconditionFailure(broken) }
        #endif
    }

    /// The first violated invariant; nil: none.
    var brokenInvariant: String? {
        brokenDownstream ?? brokenExchange ?? brokenUpstream ?? brokenSlot ?? brokenCount
            ?? brokenTransfer ?? brokenBlock
    }

    /// An exchange and its client reference each other, as do a stream and its connection.
    private var brokenDownstream: String? {
        var streams = 0
        for entry in downstreams.takenEntries() {
            let exchange = Int(downstreams[entry].exchange)
            let phase = downstreams[entry].phase
            let name = "client connection \(entry), \(phase),"
            if (phase == .exchange) != (exchange >= 0) { return "\(name) has exchange \(exchange)" }
            if exchange >= 0 {
                guard exchanges.isTaken(exchange), exchanges[exchange].downstream == entry else {
                    return "\(name) is not that of its exchange \(exchange)"
                }
            } else if phase != .multiplexed, downstreams[entry].deadline == .max {
                return "\(name) waits without a deadline"
            }
            if (phase == .multiplexed) != (downstreams.multiplexers[entry] != nil) {
                return "\(name) and its multiplexer do not know each other"
            }
            guard case .stream(let stream) = downstreams[entry].carrier else { continue }
            streams += 1
            let parent = Int(stream.parent)
            if downstreams.multiplexers[parent]?.entries[stream.number] != entry {
                return "\(name) is a stream that its connection \(parent) does not know"
            }
        }
        let known = downstreams.multiplexers.values.reduce(0) { $0 + $1.entries.count }
        if streams != downstreams.openStreams || streams != known {
            return "\(streams) streams, \(downstreams.openStreams) counted, \(known) on connections"
        }
        return nil
    }

    /// An exchange and its process's connection reference each other, and its wait has an end.
    private var brokenExchange: String? {
        for exchange in exchanges.takenEntries() {
            let request = exchanges[exchange].requestPhase
            let response = exchanges[exchange].responsePhase
            let name = "exchange \(exchange), \(request) and \(response),"
            let downstream = Int(exchanges[exchange].downstream)
            guard downstreams.isTaken(downstream), downstreams[downstream].exchange == exchange
            else { return "\(name) is not that of its client connection \(downstream)" }
            let upstream = exchanges[exchange].source.connection
            if let upstream {
                guard upstreams.isTaken(upstream), upstreams[upstream].phase.hasExchange,
                    upstreams[upstream].exchange == exchange
                else { return "\(name) is not that of its process connection \(upstream)" }
            }
            let hasConnection = upstream != nil
            if exchanges[exchange].machine.holdsSlot != hasConnection {
                return "\(name) has a slot or a connection, and not both"
            }
            if !hasConnection, request == .connecting || request == .sending {
                return "\(name) sends to no process"
            }
            let isTimed =
                downstreams[downstream].deadline != .max
                || upstream.map { upstreams[$0].deadline != .max } ?? false
            // A queued exchange has the registry's deadline, or its leader's.
            if !isTimed, request != .queued { return "\(name) waits without a deadline" }
        }
        return nil
    }

    private var brokenUpstream: String? {
        var left = 0
        for entry in upstreams.takenEntries() {
            let phase = upstreams[entry].phase
            let exchange = Int(upstreams[entry].exchange)
            let name = "process connection \(entry), \(phase),"
            if phase.hasExchange != (exchange >= 0) { return "\(name) has exchange \(exchange)" }
            if exchange >= 0 {
                guard exchanges.isTaken(exchange), exchanges[exchange].source.connection == entry
                else {
                    return "\(name) is not that of its exchange \(exchange)"
                }
            }
            if phase == .abandoned {
                left += 1
                if upstreams.abandoned[entry] == nil { return "\(name) has no slot" }
            }
            let owner = Int(upstreams[entry].owner)
            if phase == .idle, owner >= 0, !downstreams.isTaken(owner) {
                return "\(name) is kept for a client that is gone"
            }
        }
        if left != upstreams.abandoned.count {
            return "\(left) connections have been left behind, \(upstreams.abandoned.count) slots"
        }
        return nil
    }

    /// Every slot granted here is held by an exchange or an abandoned connection.
    private var brokenSlot: String? {
        let held = exchanges.takenEntries().count { exchanges[$0].machine.holdsSlot }
        return held == slots.held ? nil : "\(slots.held) slots were granted, \(held) are held"
    }

    private var brokenCount: String? {
        let streams = downstreams.takenEntries().count { downstreams[$0].carrier.isStream }
        let connections = downstreams.slab.count - streams
        if counters[.connections] != UInt64(connections) {
            return "\(connections) connections, \(counters[.connections]) counted"
        }
        let tunnels = exchanges.takenEntries().count { exchanges[$0].responsePhase == .tunnel }
        if counters[.tunnels] != UInt64(tunnels) {
            return "\(tunnels) tunnels, \(counters[.tunnels]) counted"
        }
        let requests = exchanges.slab.count - tunnels
        if counters[.requestsActive] != UInt64(requests) {
            return "\(requests) requests, \(counters[.requestsActive]) counted"
        }
        return nil
    }

    /// Every open file is on its way to the client of one exchange.
    private var brokenTransfer: String? {
        let sent = exchanges.takenEntries().compactMap { exchanges[$0].source.transfer }
        guard Set(sent).count == transfers.count, sent.count == transfers.count else {
            return "\(sent.count) files are sent, \(transfers.count) are open"
        }
        return counters[.filesOpen] == UInt64(sent.count)
            ? nil : "\(sent.count) files are sent, \(counters[.filesOpen]) counted"
    }

    /// Every block handed out is in use.
    private var brokenBlock: String? {
        var held = 0
        var links = 0
        for entry in downstreams.takenEntries() {
            if downstreams[entry].input.holdsMemory { held += 1 }
            if downstreams[entry].output.holdsMemory { held += 1 }
            links += buffers.length(of: downstreams[entry].backlog)
        }
        for entry in upstreams.takenEntries() {
            if upstreams[entry].input.holdsMemory { held += 1 }
            if upstreams[entry].output.holdsMemory { held += 1 }
        }
        for entry in exchanges.takenEntries() {
            links += buffers.length(of: exchanges[entry].stored)
        }
        if links != buffers.linksInUse {
            return "\(links) links in chains, \(buffers.linksInUse) handed out"
        }
        if held + links != buffers.blocksInUse {
            return "\(held + links) blocks are held, \(buffers.blocksInUse) handed out"
        }
        return nil
    }
}
