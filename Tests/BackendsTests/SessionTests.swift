internal import Backends
internal import Testing

@Suite struct SessionTests {
    @Test func `a lost session is placed again under its old id and learns of the loss`() throws {
        let bench = Bench.ready(2)
        let before = try bench.visit()
        bench.exit(before.process)
        let after = try bench.acquire(as: before).grant()
        #expect(after.process != before.process)
        #expect(after.session == before.session)
        #expect(after.affinity == .lost && after.placed == .moved)
        bench.finish(after)
        let next = try bench.acquire(as: after).grant()
        #expect(next.process == after.process && next.affinity == .kept)
        #expect(bench.snapshot.sessionsMovedTotal == 1 && bench.snapshot.sessionsLostTotal == 1)
    }

    @Test func `a lost session is refused with on_lost = refuse`() throws {
        let bench = Bench.ready(2) { $0.onLost = .refuse }
        let before = try bench.visit()
        bench.exit(before.process)
        #expect(try bench.acquire(as: before).refusal?.reason == .sessionLost)
        _ = try bench.acquire().grant()
    }

    @Test func `waiters of a lost session are refused with on_lost = refuse`() throws {
        let bench = Bench.ready(2) { $0.onLost = .refuse }
        let before = try bench.acquire().grant()
        _ = try bench.acquire(as: before).ticket()
        bench.exit(before.process)
        let refusal = bench.recorder.takeTraffic().first?.refusal
        #expect(refusal?.reason == .sessionLost)
    }

    @Test func `an unknown incarnation is a lost session`() throws {
        let bench = Bench.ready()
        let session = bench.freshSession()
        let grant = try bench.acquire(session, on: Incarnation(4711)).grant()
        #expect(grant.affinity == .lost && grant.session == session)
        #expect(bench.snapshot.sessionsLostTotal == 1)
    }

    @Test func `an ended session is honoured while its process lives`() throws {
        let bench = Bench.ready(2) { $0.sessionIdle = .seconds(10) }
        let before = try bench.visit()
        bench.pass(.seconds(20))
        #expect(bench.snapshot.sessionsLive == 0)
        let after = try bench.acquire(as: before).grant()
        #expect(after.process == before.process && after.affinity == .kept)
        #expect(bench.snapshot.sessionsLive == 1)
    }

    @Test func `an old token counts only while its session has a lease`() throws {
        let bench = Bench.ready(2) { $0.sessionIdle = .seconds(10) }
        let before = try bench.visit()
        let session = try #require(before.session)
        let during = try bench.acquire(session, on: before.incarnation, requiresLease: true).grant()
        #expect(during.session == session)
        bench.finish(during)
        bench.pass(.seconds(20))
        let after = try bench.acquire(session, on: before.incarnation, requiresLease: true).grant()
        #expect(after.session != session && after.affinity == .new)
    }

    @Test func `where sessions are limited an ended one is over`() throws {
        let bench = Bench.ready(2) {
            $0.sessionsPerProcess = 1
            $0.sessionIdle = .seconds(10)
        }
        let before = try bench.visit()
        bench.pass(.seconds(20))
        let after = try bench.acquire(as: before).grant()
        #expect(after.session != before.session && after.placed == .pinned)
    }

    @Test func `an ended session's place goes to a waiter`() throws {
        let bench = Bench.ready(1) {
            $0.sessionsPerProcess = 1
            $0.sessionIdle = .seconds(10)
        }
        _ = try bench.visit()
        _ = try bench.acquire().ticket()
        bench.pass(.seconds(9))
        #expect(bench.recorder.takeTraffic().isEmpty)
        bench.pass(.seconds(1))
        #expect(bench.recorder.takeTraffic().map(\.tag) == [bench.lastTag])
    }

    @Test func `a lease lasts as long as a request runs`() throws {
        let bench = Bench.ready { $0.sessionIdle = .seconds(10) }
        let running = try bench.acquire().grant()
        bench.pass(.seconds(86_400))
        #expect(bench.snapshot.sessionsLive == 1)
        bench.finish(running)
        bench.pass(.milliseconds(9_999))
        #expect(bench.snapshot.sessionsLive == 1)
        bench.pass(.milliseconds(1))
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `a crowd's sessions end together, a moment after their time at the latest`() throws {
        let bench = Bench.ready { $0.sessionIdle = .seconds(10) }
        let firstEnd = bench.now + .seconds(10)
        for _ in 0..<500 {
            _ = try bench.visit()
            bench.now = bench.now + .milliseconds(1)
        }
        var looks = 0
        while bench.snapshot.sessionsLive > 0, let deadline = bench.group.nextDeadline {
            let due = firstEnd + .milliseconds(500 - Int64(bench.snapshot.sessionsLive))
            #expect(due <= deadline && deadline <= due + .milliseconds(50))
            bench.now = deadline
            bench.group.advance(to: deadline)
            looks += 1
        }
        #expect(looks <= 500 / 50 + 1)
    }

    @Test func `a session's place is free as soon as the session ends`() throws {
        let bench = Bench.ready {
            $0.sessionIdle = .seconds(10)
            $0.sessionsPerProcess = 1
        }
        bench.now = bench.now + .milliseconds(1)
        _ = try bench.visit()
        #expect(bench.group.nextDeadline == bench.now + .seconds(10))
    }

    @Test func `every request renews the lease`() throws {
        let bench = Bench.ready { $0.sessionIdle = .seconds(10) }
        let session = try bench.visit()
        for _ in 0..<10 {
            bench.pass(.seconds(9))
            bench.finish(try bench.acquire(as: session).grant())
        }
        #expect(bench.snapshot.sessionsLive == 1)
    }

    @Test func `the lease knows better than an old cookie where its session lives`() throws {
        let bench = Bench.external([1, 1])
        let before = try bench.visit()
        bench.finish(try bench.acquire(as: before).grant(), .connectFailed)
        let moved = try bench.acquire(as: before).grant()
        #expect(moved.process != before.process)
        bench.finish(moved)
        bench.pass(.seconds(2))
        let next = try bench.acquire(as: before).grant()
        #expect(next.process == moved.process && next.affinity == .kept)
    }

    @Test func `a session that the application starts is pinned to the process it met`() throws {
        let bench = Bench.ready(2)
        var grant = try bench.acquire(pinned: false).grant()
        #expect(grant.session == nil && grant.placed == .unpinned)
        let session = bench.freshSession()
        bench.group.pin(session, of: grant, now: bench.now)
        grant.session = session
        #expect(bench.snapshot.sessionsLive == 1)
        bench.pass(.seconds(86_400))
        #expect(bench.snapshot.sessionsLive == 1, "its first request still runs")
        bench.finish(grant)
        let next = try bench.acquire(session, on: grant.incarnation).grant()
        #expect(next.process == grant.process && next.affinity == .kept)
    }

    @Test func `a released session ends with its last request`() throws {
        let bench = Bench.ready(1) {
            $0.sessionsPerProcess = 1
            $0.threads = 2
        }
        let running = try bench.acquire().grant()
        bench.group.endSession(try #require(running.session), now: bench.now)
        _ = try bench.acquire().ticket()
        bench.finish(running)
        #expect(bench.recorder.takeTraffic().map(\.tag) == [bench.lastTag])
    }

    @Test func `ending an unknown session is harmless`() {
        let bench = Bench.ready()
        bench.group.endSession(SessionID(high: 7, low: 7), now: bench.now)
        bench.group.holdSession(SessionID(high: 7, low: 7), idle: .seconds(1), now: bench.now)
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `a held session lasts longer and never shorter`() throws {
        let bench = Bench.ready { $0.sessionIdle = .seconds(10) }
        let session = try #require(try bench.visit().session)
        bench.group.holdSession(session, idle: .seconds(100), now: bench.now)
        bench.group.holdSession(session, idle: .seconds(1), now: bench.now)
        bench.pass(.seconds(99))
        #expect(bench.snapshot.sessionsLive == 1)
        bench.pass(.seconds(1))
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `a place that held a long session does not lengthen the next one's`() throws {
        let bench = Bench.ready { $0.sessionIdle = .seconds(10) }
        let held = try #require(try bench.visit().session)
        bench.group.holdSession(held, idle: .seconds(86_400), now: bench.now)
        bench.pass(.seconds(50))
        bench.group.endSession(held, now: bench.now)
        _ = try bench.visit()
        bench.pass(.seconds(10))
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `slots of a process that is gone may still be given back`() throws {
        let bench = Bench.ready(1)
        let running = try bench.acquire().grant()
        bench.exit(running.process)
        bench.pass(.seconds(1))
        bench.readyAll()
        bench.finish(running, .failed)
        #expect(bench.snapshot.processes.map(\.inFlight) == [0])
        #expect(bench.snapshot.processes.map(\.requestsTotal) == [0])
    }
}
