/// External servers that fail: they get no requests for a growing while and return on probation.
///
/// Without health checks, only their own requests show whether they work. One that is back gets a
/// single request; if it is served the server is back in full, if not it is out for longer.
extension GroupState {
    /// Consecutive failures of a server that accepts connections: it may hang with its backlog
    /// open.
    private static let mostFailures = 3
    private static let longestOutage = Interval.seconds(60)

    /// The server has answered a request.
    mutating func noteAnswer(of entry: UInt32) {
        processes[Int(entry)].server.outages = 0
        processes[Int(entry)].server.failuresInARow = 0
        processes[Int(entry)].server.answeredAt = now
        guard processes[Int(entry)].server.probation != nil else { return }
        processes[Int(entry)].server.probation = nil
        processes[Int(entry)].server.isEjected = false
        beginSlowStart(of: entry)
        orders.events.append(.answering(handle(entry)))
    }

    /// The server closed early, sent an invalid response or timed out.
    ///
    /// A few failures among many responses are better than none: at most half of the servers are out
    /// for their answers, and never the last.
    mutating func noteFailure(of entry: UInt32) {
        guard !isSpawned, processes[Int(entry)].phase.serves else { return }
        processes[Int(entry)].server.failuresInARow += 1
        guard
            processes[Int(entry)].server.probation != nil
                || processes[Int(entry)].server.failuresInARow >= Self.mostFailures
                    && mayEject(entry)
        else { return }
        takeDown(entry, isEjected: true)
    }

    private func mayEject(_ entry: UInt32) -> Bool {
        // What fails its checks too gets no new sessions anyway.
        guard case .ready = processes[Int(entry)].phase else { return true }
        var (pool, ejected, others) = (0, 0, 0)
        for (index, process) in processes.enumerated() {
            guard !process.phase.isGone, !process.server.isOut, process.standing == .serving else {
                continue
            }
            pool += 1
            if process.server.isEjected { ejected += 1 }
            if index != Int(entry), process.phase.isReady { others += 1 }
        }
        return others > 0 && 2 * (ejected + 1) <= pool
    }

    /// Takes a server out of service; its sessions are reassigned, or refused, according to
    /// `on_lost`.
    mutating func takeDown(_ entry: UInt32, isEjected: Bool = false) {
        let index = Int(entry)
        if case .draining(let reason) = processes[index].phase, reason != .unhealthy {
            // It was leaving anyway.
            return endDraining(of: entry)
        }
        let shift = min(processes[index].server.outages, 6)
        let pause = min(
            Interval(nanoseconds: Interval.seconds(1).nanoseconds << shift), Self.longestOutage)
        let health = isChecked(entry) ? policy.health : nil
        let until = now + (health.map { outage(under: $0) } ?? pause)
        // A server with health checks returns when they succeed.
        let span = health?.interval ?? pause
        guard apply(.refused(until: until), to: entry) == .isDown else { return }
        processes[index].server.goodChecks = 0
        processes[index].server.outages += 1
        processes[index].server.outagesTotal += 1
        processes[index].server.failuresInARow = 0
        processes[index].server.probation = nil
        processes[index].server.isEjected = isEjected
        processes[index].server.slowStart = nil
        processes[index].share = SlowStart.whole
        orders.events.append(.down(handle(entry), retryIn: span))
    }

    /// Tries servers again; all that are due at one moment return before any request is placed.
    ///
    /// - Parameter evenEarly: an administrator declares them healthy.
    mutating func endOutages(evenEarly: Bool = false) {
        for index in processes.indices {
            if evenEarly {
                processes[index].server.outages = 0
                processes[index].server.failuresInARow = 0
            }
            guard case .down(let until) = processes[index].phase, evenEarly || until <= now,
                !processes[index].server.isOut,
                apply(.outageOver, to: UInt32(index)) == .isReady
            else { continue }
            processes[index].server.probation = processes[index].inFlight
            orders.events.append(.up(handle(UInt32(index))))
            prepare(UInt32(index))
        }
    }

    /// A server that is down returns to service without a trial.
    mutating func comeBack(_ entry: UInt32) {
        guard apply(.outageOver, to: entry) == .isReady else { return }
        processes[Int(entry)].server.outages = 0
        processes[Int(entry)].server.failuresInARow = 0
        processes[Int(entry)].server.isEjected = false
        prepare(entry)
        beginSlowStart(of: entry)
    }
}
