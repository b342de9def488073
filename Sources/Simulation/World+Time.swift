internal import Backends

/// Time: it passes from event to event, jumps, and ends the run.
extension World {
    /// Lets time pass as the real driver sees it: nothing that is due is missed.
    func pass(_ span: Interval) throws(Violation) {
        let end = now + span
        var turns = 0
        while let next = nextEvent, next.at <= end {
            now = max(now, next.at)
            turns += 1
            if turns > 1_000_000 { throw Violation(.deadlineStandsStill, "at \(now)") }
            if next.isAlarm {
                try drive()
            } else if let (handle, happening) = agenda.takeFirst() {
                try happen(handle, happening)
            }
        }
        now = end
        try shadow.checkWaiters(now: now)
    }

    private var nextEvent: (at: MonotonicInstant, isAlarm: Bool)? {
        switch (alarm, agenda.next) {
        case (nil, nil): nil
        case (let alarm?, nil): (alarm, true)
        case (nil, let agenda?): (agenda, false)
        case (let alarm?, let agenda?): alarm <= agenda ? (alarm, true) : (agenda, false)
        }
    }

    func passToDeadline() throws(Violation) {
        guard let alarm, alarm > now else { return }
        // Held sessions and long idle times are for the jumps.
        try pass(min(alarm - now, .seconds(60)))
    }

    /// The driver wakes: it looks whether something is due, and sleeps on.
    func drive() throws(Violation) {
        if let deadline = group.nextDeadline, deadline <= now {
            try advance()
        }
        alarm = group.nextDeadline
    }

    private func advance() throws(Violation) {
        group.advance(to: now)
        try attend()
        try shadow.checkWaiters(now: now)
        alarm = group.nextDeadline
        if let alarm, alarm <= now {
            throw Violation(.deadlineStandsStill, "at \(now.nanoseconds)")
        }
    }

    /// The machine was suspended: much has become due, and everything is told late.
    func jump() throws(Violation) {
        let span = Interval.seconds(generator.pick([5, 60, 3_600, 86_400]))
        history.note(now, "the clock jumps by \(span.seconds) s")
        now = now + span
        if generator.percent(50) { try advance() }
        while let next = agenda.next, next <= now, let (handle, happening) = agenda.takeFirst() {
            try happen(handle, happening)
        }
        try advance()
    }

    /// Calls that are too early, or whose time is behind, change nothing.
    func advanceEarly() throws(Violation) {
        let early = MonotonicInstant(nanoseconds: now.nanoseconds - 1_000_000)
        if generator.percent(50) { return try drive() }
        group.advance(to: generator.percent(50) ? now : early)
        try attend()
        alarm = group.nextDeadline
    }

    /// Everybody goes home, then the balancer is shut down.
    func end() throws(Violation) {
        brokenStarts = 0
        while !waiting.isEmpty { try leave() }
        while !mail.isEmpty { try deliverMail() }
        while let last = running.popLast() { try finish(last.grant, .served) }
        try check()
        // Longer than any session is held, any process kept, any failure remembered.
        try pass(.seconds(3 * 3_600))
        try checkRest()
        try shutDown()
    }

    private func checkRest() throws(Violation) {
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
        if ready < snapshot.minimum { throw Violation(.belowMinimum, "\(ready) at the end") }
        if snapshot.processes.count > snapshot.minimum {
            throw Violation(.idleProcessKept, "\(snapshot.processes.count) at the end")
        }
    }

    private func shutDown() throws(Violation) {
        for _ in 0..<5 { try request() }
        isShuttingDown = true
        history.note(now, "shut down")
        group.shutDown(now: now)
        try attend()
        if !shadow.waiters.isEmpty { throw Violation(.waiterLost, "at shutdown") }
        try request()
        while !mail.isEmpty { try deliverMail() }
        while let last = running.popLast() { try finish(last.grant, .failed) }
        try pass(scenario.policy.stopTimeout)
        try pass(.seconds(1))
        if !group.isStopped { throw Violation(.notStopped, "after the stop timeout") }
        try check()
    }
}
