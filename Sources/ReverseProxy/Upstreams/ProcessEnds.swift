internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// The end of a process's part in an exchange: its slot and its connection.
///
/// Belongs to the loop's thread.
final class ProcessEnds {
    private let exchanges: ExchangeTable
    private let upstreams: Upstreams
    private let downstreams: Downstreams
    private let plan: Plan
    private let drain: DrainState
    private let slots: Slots
    private let kept: KeptConnections
    private let abandoned: AbandonedRequests

    init(
        _ owners: Owners, slots: Slots, kept: KeptConnections, abandoned: AbandonedRequests
    ) {
        exchanges = owners.exchanges
        upstreams = owners.upstreams
        downstreams = owners.downstreams
        plan = owners.plan
        drain = owners.drain
        self.slots = slots
        self.kept = kept
        self.abandoned = abandoned
    }

    /// Ends the process's part in an exchange, and its connection.
    ///
    /// - Parameter isLate: the process is given up, but may still be working on the request.
    func end(_ exchange: Int, _ outcome: ExchangeOutcome, isLate: Bool = false) {
        if let entry = exchanges[exchange].source.connection {
            exchanges[exchange].move(source: .finished)
            if isLate || outcome == .abandoned, isAtWork(exchange, entry) {
                return leaveBehind(exchange, entry, outcome)
            }
            upstreams.close(entry)
        }
        slots.release(exchange, outcome)
    }

    /// The complete response is here: releases the slot, and the connection too if it can be
    /// reused.
    func finish(_ exchange: Int) {
        let entry = exchanges.upstream(of: exchange)
        exchanges[exchange].move(source: .finished)
        let group = Int(exchanges[exchange].group)
        let mayKeep =
            plan.settings.groups[group].keepalive && !upstreams[entry].peerClosed
            && upstreams[entry].output.isEmpty
        switch exchanges[exchange].machine.responseEnded(
            isSilent: upstreams[entry].input.isEmpty && !upstreams[entry].records.isBad,
            mayKeep: mayKeep)
        {
        case .keep:
            if exchanges[exchange].signsInConnection || upstreams[entry].owner >= 0 {
                keepForClient(entry, after: exchange)
            } else {
                pool(entry, after: exchange)
            }
        case .distrust:
            kept.distrust(upstreams[entry].process, group: group)
            upstreams.close(entry)
        case .close: upstreams.close(entry)
        }
        slots.release(exchange, .served)
    }

    /// Keeps a connection for anybody's next request.
    ///
    /// One to a FastCGI process may hold a worker, as PHP accepts no other before it ends: nobody may be waiting
    /// for that. It is counted first and the others are looked for then. Whoever comes later sees the count
    /// (`letOthersGo`), so that neither misses the other.
    private func pool(_ entry: Int, after exchange: Int) {
        let (process, codec) = (upstreams[entry].process, upstreams[entry].codec)
        let group = Int(upstreams[entry].group)
        kept.pool(
            entry, keptFor: exchanges[exchange].upstreamKeptFor,
            awaitsSilence: exchanges[exchange].awaitsSilence)
        if codec.keepsWorkerBusy, !plan.groups[group].isAlone(on: process) {
            upstreams.letGo(of: process, group: group)
        }
    }

    /// Keeps a connection for the client of the exchange, which has authenticated on it, or closes
    /// it.
    ///
    /// HTTP/2 clients send concurrent requests, for which this cannot work: their connection is
    /// closed after the response.
    private func keepForClient(_ entry: Int, after exchange: Int) {
        let client = Int(exchanges[exchange].downstream)
        guard !downstreams[client].carrier.isStream, downstreams[client].keepAlive,
            !downstreams[client].peerClosed
        else { return upstreams.close(entry) }
        kept.keep(entry, for: client, exchanges[exchange].machine.grant)
    }

    /// Whether the process works on the request, though its client has gone.
    private func isAtWork(_ exchange: Int, _ entry: Int) -> Bool {
        exchanges[exchange].machine.isAtWork(
            sentAny: upstreams[entry].sentAny, hasClosed: upstreams[entry].peerClosed,
            now: exchanges.now)
            && !(drain.isDraining && drain.successor == nil)
    }

    /// Keeps the slot of an exchange until the process is done with it.
    private func leaveBehind(_ exchange: Int, _ entry: Int, _ outcome: ExchangeOutcome) {
        let group = Int(upstreams[entry].group)
        let left = exchanges[exchange].machine.leaveBehind(
            outcome, deadline: upstreams[entry].deadline, now: exchanges.now)
        if left.isOverdue, let grant = left.slot.grant {
            // The registry must learn of the missing response now, not when the process finishes.
            plan.groups[group].overdue(grant, now: exchanges.instant)
        }
        let slot = AbandonedSlot(
            left: left, method: exchanges[exchange].method,
            body: exchanges[exchange].responsePhase == .streaming
                ? exchanges[exchange].responseBody.ignoringMark : nil)
        slots.leave()
        abandoned.abandon(
            entry, slot, tellsEnd: left.endsRequest || plan.settings.groups[group].noticesClosing)
    }
}
