internal import Backends

/// Time: it advances from event to event, jumps, and ends the run.
extension World {
    func pass(_ span: Interval) throws(Violation) { try balancer?.pass(span) }

    /// The earliest event of this group.
    var nextEvent: (at: MonotonicInstant, isAlarm: Bool)? {
        switch (alarm, agenda.next) {
        case (nil, nil): nil
        case (let alarm?, nil): (alarm, true)
        case (nil, let agenda?): (agenda, false)
        case (let alarm?, let agenda?): alarm <= agenda ? (alarm, true) : (agenda, false)
        }
    }

    /// Applies it.
    func happenNext() throws(Violation) {
        guard let next = nextEvent else { return }
        if next.isAlarm {
            try drive()
        } else if let (handle, event) = agenda.takeFirst() {
            try happen(handle, event)
        }
    }

    func passToDeadline() throws(Violation) {
        guard let alarm, alarm > now else { return }
        // Held sessions and long idle times are left to the jumps.
        try pass(min(alarm - now, .seconds(60)))
    }

    /// The timer fires: advances what is due, and sleeps again.
    func drive() throws(Violation) {
        if let deadline = group.nextDeadline, deadline <= now {
            try advance()
        }
        alarm = group.nextDeadline
    }

    private func advance() throws(Violation) {
        // One group may make something due in another, which may affect the first one again.
        for _ in 0..<4 {
            group.advance(to: now)
            try attend()
            alarm = group.nextDeadline
            guard let alarm, alarm <= now else { break }
        }
        try shadow.checkWaiters(now: now)
        if let alarm, alarm <= now {
            throw Violation(.deadlineStandsStill, "at \(now.nanoseconds)")
        }
    }

    /// The machine was suspended: many deadlines have passed, and every event is late.
    func jump() throws(Violation) {
        let span = Interval.seconds(chance.pick("jump", [5, 60, 3_600, 86_400]))
        history.note(now, "the clock jumps by \(span.seconds) s")
        try balancer?.jump(span)
    }

    /// All overdue events happen, in any order.
    func catchUp() throws(Violation) {
        if chance.percent("advancesFirst", 50) { try advance() }
        while let next = agenda.next, next <= now, let (handle, event) = agenda.takeFirst() {
            try happen(handle, event)
        }
        try advance()
    }

    /// Calls that are too early, or whose time is behind, change nothing.
    func advanceEarly() throws(Violation) {
        let early = MonotonicInstant(nanoseconds: now.nanoseconds - 1_000_000)
        if chance.percent("drives", 50) { return try drive() }
        group.advance(to: chance.percent("advancesNow", 50) ? now : early)
        try attend()
        alarm = group.nextDeadline
    }

    /// All clients disconnect.
    func disconnectAll() throws(Violation) {
        brokenStarts = 0
        if isRetired { try revive() }
        doubtSessionsWithoutLease()
        while !waiting.isEmpty { try leave() }
        while !mail.isEmpty { try deliverMail() }
        while let last = running.popLast() { try finish(last.grant, .served) }
        while !tunnels.isEmpty { try endTunnel(tunnels.count - 1) }
        for process in group.snapshot(now: now).processes where process.isBusy {
            group.noted(process.handle, .busy(false), now: now)
        }
        try attend()
        try check()
    }

    func checkRest() throws(Violation) {
        let snapshot = group.snapshot(now: now)
        if snapshot.sessionsLive != 0 {
            throw Violation(.sessionOutlivesItsTime, "\(snapshot.sessionsLive) sessions")
        }
        if snapshot.queueLength != 0 { throw Violation(.waiterLost, "in an empty world") }
        if let busy = snapshot.processes.first(where: { $0.inFlight != 0 }) {
            throw Violation(.slotLost, "\(busy.handle) has \(busy.inFlight) for ever")
        }
        guard snapshot.isSpawned else { return }
        let ready = snapshot.processes.count { $0.state == .ready }
        if ready < snapshot.minimum, snapshot.roomless == nil {
            throw Violation(.belowMinimum, "\(ready) at the end")
        }
        // Processes that reach their age are replaced all the time.
        let most =
            snapshot.minimum + scenario.policy.spare + (scenario.policy.maxAge == nil ? 0 : 2)
        let staying = snapshot.processes.count { $0.state == .ready || $0.state == .starting }
        if staying > most {
            throw Violation(.idleProcessKept, "\(staying) at the end")
        }
    }

    /// The group is shut down, or removed from the configuration.
    func close() throws(Violation) {
        for _ in 0..<5 { try request() }
        isShuttingDown = true
        let isRetired = chance.percent("retires", 30)
        history.note(now, isRetired ? "retire" : "shut down")
        if isRetired {
            group.retire(now: now)
        } else {
            group.shutDown(now: now)
        }
        try attend()
        if !isRetired, !shadow.waiters.isEmpty { throw Violation(.waiterLost, "at shutdown") }
        try request()
        while !mail.isEmpty || !running.isEmpty {
            while !mail.isEmpty { try deliverMail() }
            if let last = running.popLast() { try finish(last.grant, .failed) }
        }
        // A retired group keeps its processes as long as they have sessions.
        if isRetired { try pass(.seconds(2 * 3_600)) }
        try pass(scenario.policy.stopTimeout)
        try pass(.seconds(1))
        if !group.isStopped { throw Violation(.notStopped, "after the stop timeout") }
        try check()
    }
}
