/// External servers that fail: they are left alone for a growing while and come back on probation.
///
/// Nobody but their own requests can tell how they fare. One that is back gets a single request; if
/// that is served it is as before, if not it is out for longer.
extension GroupState {
    /// Failures in a row of a server that takes connections: it may hang with its backlog open.
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

    /// The server broke off, answered nonsense or not in time.
    ///
    /// The only one that serves is left where it is: a few bad answers of many are better than none.
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

    /// Takes a server out of service; its sessions are placed anew, or refused, as the group says.
    mutating func takeDown(_ entry: UInt32) {
        let shift = min(processes[Int(entry)].outages, 6)
        let pause = min(
            Interval(nanoseconds: Interval.seconds(1).nanoseconds << shift), Self.longestOutage)
        let health = isChecked(entry) ? policy.health : nil
        let until = now + (health.map { outage(under: $0) } ?? pause)
        // One that is asked comes back when its answers are good again.
        let span = health?.interval ?? pause
        guard apply(.refused(until: until), to: entry) == .isDown else { return }
        processes[Int(entry)].goodChecks = 0
        processes[Int(entry)].outages += 1
        processes[Int(entry)].failuresInARow = 0
        processes[Int(entry)].probation = nil
        orders.events.append(.down(handle(entry), retryIn: span))
    }

    /// Tries servers again; all of one moment are back before anybody is placed anew.
    ///
    /// - Parameter evenEarly: an administrator says that they are well.
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
