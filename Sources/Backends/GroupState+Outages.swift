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
        processes[Int(entry)].outages = 0
        processes[Int(entry)].failuresInARow = 0
        guard processes[Int(entry)].probation != nil else { return }
        processes[Int(entry)].probation = nil
        orders.events.append(.answering(handle(entry)))
    }

    /// The server closed early, sent an invalid response or timed out.
    ///
    /// The only serving server stays in service: a few failures among many responses are better
    /// than none.
    mutating func noteFailure(of entry: UInt32) {
        guard !isSpawned, processes[Int(entry)].phase.serves else { return }
        processes[Int(entry)].failuresInARow += 1
        guard
            processes[Int(entry)].probation != nil
                || processes[Int(entry)].failuresInARow >= Self.mostFailures
                    && processes.count(where: { $0.phase.serves }) > 1
        else { return }
        takeDown(entry)
    }

    /// Takes a server out of service; its sessions are reassigned, or refused, according to
    /// `on_lost`.
    mutating func takeDown(_ entry: UInt32) {
        let shift = min(processes[Int(entry)].outages, 6)
        let pause = min(
            Interval(nanoseconds: Interval.seconds(1).nanoseconds << shift), Self.longestOutage)
        let health = isChecked(entry) ? policy.health : nil
        let until = now + (health.map { outage(under: $0) } ?? pause)
        // A server with health checks returns when they succeed.
        let span = health?.interval ?? pause
        guard apply(.refused(until: until), to: entry) == .isDown else { return }
        processes[Int(entry)].goodChecks = 0
        processes[Int(entry)].outages += 1
        processes[Int(entry)].failuresInARow = 0
        processes[Int(entry)].probation = nil
        orders.events.append(.down(handle(entry), retryIn: span))
    }

    /// Tries servers again; all that are due at one moment return before any request is placed.
    ///
    /// - Parameter evenEarly: an administrator declares them healthy.
    mutating func endOutages(evenEarly: Bool = false) {
        for index in processes.indices {
            if evenEarly {
                processes[index].outages = 0
                processes[index].failuresInARow = 0
            }
            guard case .down(let until) = processes[index].phase, evenEarly || until <= now,
                apply(.outageOver, to: UInt32(index)) == .isReady
            else { continue }
            processes[index].probation = processes[index].inFlight
            orders.events.append(.up(handle(UInt32(index))))
            prepare(UInt32(index))
        }
    }
}
