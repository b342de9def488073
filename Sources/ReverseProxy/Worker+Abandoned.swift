internal import Backends
internal import Reactor

/// The slot of a request whose client has left while the process works on it.
///
/// The process does not know, or does not care, and its thread is busy until it is done. So the slot stays
/// taken until the process ends its side of the connection; it is told the end of ours, and what it
/// still says is thrown away, for a moment: then the connection is closed, and its writes fail.
struct AbandonedSlot {
    let grant: Grant
    let outcome: ExchangeOutcome
    let isTunnel: Bool
    let holdsTunnelSlot: Bool
    /// Bytes that the process has said since.
    var spoken = 0
}

extension Worker {
    /// How long a process may take to end its side, where no `request_timeout` says so.
    private static let patience = Interval.seconds(300)
    /// How long, and how much, it may go on to say.
    private static let lastWords = Interval.seconds(2)
    private static let lastBytes = 64 * 1024

    /// Whether the process works on the request, though nobody waits for it any more.
    func isAtWork(_ exchange: Int, _ place: Int) -> Bool {
        exchanges[exchange].holdsSlot && upstreams[place].phase == .busy
            && upstreams[place].sentAny && !upstreams[place].peerClosed
            && exchanges[exchange].requestDeadline > now && !(isDraining && successor == nil)
    }

    /// Keeps the slot of an exchange until the process is done with it.
    func leaveBehind(_ exchange: Int, _ place: Int, _ outcome: ExchangeOutcome) {
        guard let grant = exchanges[exchange].grant else {
            preconditionFailure("an exchange that holds a slot has a grant")
        }
        exchanges[exchange].holdsSlot = false
        let isTunnel = exchanges[exchange].responsePhase == .tunnel
        var outcome = outcome
        if outcome == .failed, !isTunnel {
            // That it does not answer is to be known now, not when it has ended.
            groups[Int(upstreams[place].group)].overdue(grant, now: instant)
            outcome = .abandoned
        }
        abandoned[place] = AbandonedSlot(
            grant: grant, outcome: outcome, isTunnel: isTunnel,
            holdsTunnelSlot: exchanges[exchange].tunnel.holdsSlot)
        upstreams[place].phase = .abandoned
        upstreams[place].exchange = -1
        upstreams[place].owner = -1
        blocks.release(&upstreams[place].input)
        blocks.release(&upstreams[place].output)
        watchProcessWrites(place, false)
        // A body that has not come to its end never will.
        if exchanges[exchange].requestPhase != .done || exchanges[exchange].responsePhase == .tunnel
            || settings.groups[Int(upstreams[place].group)].hearsOfEnds
        {
            upstreams[place].tls?.shutdown()
            shutdownProcessWrite(place)
        }
        let deadline = min(exchanges[exchange].requestDeadline, now &+ Self.patience.nanoseconds)
        setUpstreamDeadline(place, after: Interval(nanoseconds: deadline &- now))
        discardLastWords(place)
    }

    /// Throws away what the process says, and closes when it has ended or goes on for too long.
    func discardLastWords(_ place: Int) {
        blocks.equip(&upstreams[place].input)
        while upstreams[place].isReadable {
            upstreams[place].input.rewind()
            switch readProcess(place) {
            case .moved(let count):
                let before = abandoned[place]?.spoken ?? 0
                abandoned[place]?.spoken = before + count
                if before + count > Self.lastBytes { return closeUpstream(place) }
                if before == 0 {
                    let left = Interval(nanoseconds: upstreams[place].deadline &- now)
                    setUpstreamDeadline(place, after: min(left, Self.lastWords))
                }
            case .wouldBlock: break
            case .end, .failed: return closeUpstream(place)
            }
        }
        blocks.release(&upstreams[place].input)
    }

    /// The process has had its time: one that hangs is replaced, where the group says how long that is.
    func abandonedTimedOut(_ place: Int) {
        let group = Int(upstreams[place].group)
        let process = upstreams[place].process
        let hangs = abandoned[place]?.spoken == 0
        closeUpstream(place)
        if hangs, settings.groups[group].requestTimeout != nil {
            groups[group].recycle(process, reason: .requestTimeout, now: instant)
        }
    }

    /// The connection has ended: the slot is free.
    func releaseAbandoned(_ place: Int) {
        guard let slot = abandoned.removeValue(forKey: place) else { return }
        let group = groups[Int(upstreams[place].group)]
        if slot.isTunnel {
            group.endTunnel(
                slot.grant, slot.outcome, heldSlot: slot.holdsTunnelSlot, now: instant)
        } else {
            group.finished(slot.grant, slot.outcome, now: instant)
        }
    }

    /// The balancer stops, and so will the processes: none is waited for.
    func releaseAllAbandoned() {
        for place in Array(abandoned.keys) { closeUpstream(place) }
    }
}
