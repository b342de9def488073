internal import Backends
internal import Testing

@Suite struct QueueTests {
    @Test func `returning sessions do not starve new ones`() throws {
        let bench = Bench.ready(1)
        let busy = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        let new = bench.lastTag
        bench.now = bench.now + .milliseconds(1)
        _ = try bench.acquire(as: busy).ticket()
        bench.finish(busy)
        #expect(bench.recorder.takeTraffic().map(\.tag) == [new])
    }

    @Test func `waiters are served in the order of their arrival`() throws {
        let bench = Bench.ready()
        let first = try bench.acquire().grant()
        var tags: [WaiterTag] = []
        for _ in 0..<3 {
            _ = try bench.acquire().ticket()
            tags.append(bench.lastTag)
        }
        var running = first
        var served: [WaiterTag] = []
        for _ in 0..<3 {
            bench.finish(running)
            let order = try #require(bench.recorder.takeTraffic().first)
            served.append(order.tag)
            running = try #require(order.grant)
        }
        #expect(served == tags)
    }

    @Test func `a free slot goes to the process's own waiters before the group's`() throws {
        let bench = Bench.ready()
        let running = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        _ = try bench.acquire(as: running).ticket()
        let own = bench.lastTag
        bench.finish(running)
        #expect(bench.recorder.takeTraffic().map(\.tag) == [own])
    }

    @Test func `a request that has waited elsewhere has the rank of its arrival`() throws {
        let bench = Bench.ready()
        let running = try bench.acquire().grant()
        let arrival = bench.now
        bench.now = bench.now + .seconds(1)
        _ = try bench.acquire().ticket()
        bench.now = bench.now + .seconds(1)
        _ = try bench.acquire(waitingSince: arrival).ticket()
        let early = bench.lastTag
        bench.finish(running)
        #expect(bench.recorder.takeTraffic().map(\.tag) == [early])
    }

    @Test func `a request that has waited elsewhere waits here for the rest of its time`() throws {
        let bench = Bench.ready { $0.queueTimeout = .seconds(3) }
        _ = try bench.acquire().grant()
        let arrival = bench.now
        bench.now = arrival + .seconds(2)
        _ = try bench.acquire(waitingSince: arrival).ticket()
        bench.now = arrival + .seconds(3)
        #expect(bench.acquire(waitingSince: arrival).refusal?.reason == .queueTimeout)
        bench.group.advance(to: bench.now)
        #expect(bench.recorder.takeTraffic().map(\.refusal?.reason) == [.queueTimeout])
        #expect(bench.snapshot.queueLength == 0 && bench.snapshot.queueTimedOutTotal == 2)
    }

    @Test func `a free slot serves a request that has waited elsewhere for too long, too`() throws {
        let bench = Bench.ready { $0.queueTimeout = .seconds(3) }
        let arrival = bench.now
        bench.now = arrival + .seconds(4)
        _ = try bench.acquire(waitingSince: arrival).grant()
    }

    @Test func `the group's queue has a limit`() throws {
        let bench = Bench.ready { $0.queueLimit = 2 }
        _ = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        _ = try bench.acquire().ticket()
        let refusal = try #require(bench.acquire().refusal)
        #expect(refusal.reason == .queueFull && refusal.retryAfterSeconds >= 1)
        #expect(bench.snapshot.queueLength == 2 && bench.snapshot.queueRejectedTotal == 1)
    }

    @Test func `a process's own queue has a limit`() throws {
        let bench = Bench.ready { $0.processQueueLimit = 1 }
        let running = try bench.acquire().grant()
        _ = try bench.acquire(as: running).ticket()
        #expect(try bench.acquire(as: running).refusal?.reason == .processQueueFull)
    }

    @Test func `a waiter is refused after the queue timeout`() throws {
        let bench = Bench.ready { $0.queueTimeout = .seconds(3) }
        let running = try bench.acquire().grant()
        _ = bench.acquire()
        _ = try bench.acquire(as: running)
        bench.pass(.milliseconds(2999))
        #expect(bench.recorder.takeTraffic().isEmpty)
        bench.pass(.milliseconds(1))
        let refusals = bench.recorder.takeTraffic().compactMap(\.refusal?.reason)
        #expect(refusals == [.queueTimeout, .queueTimeout])
        #expect(bench.snapshot.queueTimedOutTotal == 2)
    }

    @Test func `a waiter that has left is not served`() throws {
        let bench = Bench.ready()
        let running = try bench.acquire().grant()
        let leaving = try bench.acquire().ticket()
        _ = try bench.acquire().ticket()
        let staying = bench.lastTag
        #expect(bench.group.leaveQueue(leaving, now: bench.now))
        bench.finish(running)
        #expect(bench.recorder.takeTraffic().map(\.tag) == [staying])
    }

    @Test func `leaving comes too late once the order is on its way`() throws {
        let bench = Bench.ready()
        let running = try bench.acquire().grant()
        let ticket = try bench.acquire().ticket()
        bench.finish(running)
        #expect(!bench.group.leaveQueue(ticket, now: bench.now))
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        bench.finish(grant, .abandoned)
        #expect(bench.snapshot.processes[0].inFlight == 0)
    }

    @Test func `a stale ticket does not remove the next tenant of its place`() throws {
        let bench = Bench.ready()
        _ = try bench.acquire().grant()
        let left = try bench.acquire().ticket()
        #expect(bench.group.leaveQueue(left, now: bench.now))
        let next = try bench.acquire().ticket()
        #expect(next.index == left.index)
        #expect(!bench.group.leaveQueue(left, now: bench.now))
        #expect(bench.snapshot.queueLength == 1)
    }

    @Test func `waiters of a crashed process are placed again and keep their tickets`() throws {
        let bench = Bench.ready(2)
        let one = try bench.acquire().grant()
        let other = try bench.acquire().grant()
        let ticket = try bench.acquire(as: one).ticket()
        bench.exit(one.process)
        #expect(bench.recorder.takeTraffic().isEmpty)
        #expect(bench.group.leaveQueue(ticket, now: bench.now))
        bench.finish(other)
        #expect(bench.recorder.takeTraffic().isEmpty)
    }

    @Test func `a waiter that lost its process keeps the rank of its arrival`() throws {
        let bench = Bench.ready(2)
        let one = try bench.acquire().grant()
        let other = try bench.acquire().grant()
        _ = try bench.acquire(as: one).ticket()
        let early = bench.lastTag
        bench.now = bench.now + .milliseconds(1)
        _ = try bench.acquire().ticket()
        bench.exit(one.process)
        bench.finish(other)
        let order = try #require(bench.recorder.takeTraffic().first)
        #expect(order.tag == early)
        #expect(order.grant?.affinity == .lost && order.grant?.placed == .moved)
    }

    @Test func `two waiters of one lost session are served by the same process`() throws {
        let bench = Bench.ready(3) { $0.sessionIdle = .seconds(600) }
        let lost = try bench.acquire().grant()
        let others = [try bench.acquire().grant(), try bench.acquire().grant()]
        _ = try bench.acquire(as: lost).ticket()
        _ = try bench.acquire(as: lost).ticket()
        bench.exit(lost.process)
        bench.finish(others[0])
        let first = try #require(bench.recorder.takeTraffic().first?.grant)
        bench.finish(others[1])
        #expect(bench.recorder.takeTraffic().isEmpty, "the second waits for its session's process")
        bench.finish(first)
        let second = try #require(bench.recorder.takeTraffic().first?.grant)
        #expect(second.process == first.process && second.session == first.session)
    }

    /// Found by the simulation.
    @Test func `a waiter joins its session when another request has revived that`() throws {
        let bench = Bench.ready(2) { $0.sessionIdle = .seconds(10) }
        let visit = try bench.visit()
        let session = try #require(visit.session)
        bench.pass(.seconds(10))
        let busy = [
            try bench.acquire(pinned: false).grant(), try bench.acquire(pinned: false).grant(),
        ]
        // Too old a cookie without a lease: a new session, in the group's queue.
        _ = try bench.acquire(session, on: visit.incarnation, requiresLease: true).ticket()
        let old = bench.lastTag
        bench.now = bench.now + .milliseconds(1)
        _ = try bench.acquire(session, on: visit.incarnation).ticket()
        for grant in busy where grant.process != visit.process { bench.finish(grant) }
        #expect(bench.recorder.takeTraffic().isEmpty)
        for grant in busy where grant.process == visit.process { bench.finish(grant) }
        let order = try #require(bench.recorder.takeTraffic().first)
        #expect(order.tag == old && order.grant?.session == session)
        #expect(order.grant?.process == visit.process)
    }
}
