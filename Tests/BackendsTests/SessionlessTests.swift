internal import Backends
internal import Testing

/// Requests that can have no session.
@Suite struct SessionlessTests {
    private func dedicated(_ count: Int = 1, _ change: (inout GroupPolicy) -> Void = { _ in })
        -> Bench
    {
        Bench.ready(count) { policy in
            policy.sessionsPerProcess = 1
            policy.threads = 2
            change(&policy)
        }
    }

    private func ask(_ bench: Bench, as grant: Grant? = nil, tag: UInt64 = 900) -> Admission {
        var request = AdmissionRequest(
            claim: grant.flatMap { grant in
                grant.session.map { .init(session: $0, process: grant.incarnation) }
            }, newSession: bench.freshSession(), waiter: WaiterTag(tag))
        request.isSessionless = true
        return bench.group.acquire(request, now: bench.now)
    }

    @Test func `it takes no session's place and begins no session`() throws {
        let bench = dedicated()
        let grant = try ask(bench).grant()
        #expect(grant.session == nil && grant.placed == .unpinned)
        #expect(bench.snapshot.sessionsLive == 0)
        // The place is still there, although the request is under way.
        _ = try bench.acquire().grant()
        bench.finish(grant)
        #expect(bench.snapshot.sessionsCreatedTotal == 1)
    }

    @Test func `it is served where all places are taken`() throws {
        let bench = dedicated(2)
        let visitors = [try bench.visit(), try bench.visit()]
        #expect(visitors[0].process != visitors[1].process)
        bench.finish(try ask(bench).grant())
        #expect(bench.snapshot.sessionsLive == 2)
    }

    @Test func `it goes to the session's own process and renews the session`() throws {
        let bench = dedicated(3) { $0.unconfirmed = .seconds(60) }
        let visitors = [try bench.visit(), try bench.visit(), try bench.visit()]
        for visitor in visitors {
            let grant = try ask(bench, as: visitor).grant()
            #expect(grant.process == visitor.process && grant.session == visitor.session)
            #expect(grant.placed == .kept)
            bench.finish(grant)
        }
        #expect(bench.snapshot.sessionsUnconfirmed == 0)
        bench.pass(.seconds(120))
        #expect(bench.snapshot.sessionsLive == 3)
    }

    @Test func `it waits for a slot of its session's process`() throws {
        let bench = dedicated(2) { $0.threads = 1 }
        let visitor = try bench.acquire().grant()
        _ = try ask(bench, as: visitor).ticket()
        bench.finish(visitor)
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        #expect(grant.process == visitor.process)
    }

    @Test func `a session that is over leads to its process and does not begin again`() throws {
        let bench = Bench.ready(2) { $0.unconfirmed = .seconds(1) }
        let visitor = try bench.visit()
        bench.pass(.seconds(5))
        #expect(bench.snapshot.sessionsLive == 0)
        let grant = try ask(bench, as: visitor).grant()
        #expect(grant.process == visitor.process && grant.session == nil)
        bench.finish(grant)
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `a session whose process is gone is no matter`() throws {
        let bench = Bench.ready(2) { $0.onLost = .refuse }
        let visitor = try bench.visit()
        bench.exit(visitor.process)
        let grant = try ask(bench, as: visitor).grant()
        #expect(grant.session == nil && grant.affinity == .new && grant.placed == .unpinned)
        #expect(bench.snapshot.sessionsMovedTotal == 0)
    }

    @Test func `it passes those who wait for a place, and waits for no more than a slot`() throws {
        let bench = dedicated { $0.threads = 1 }
        let visitor = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        _ = try ask(bench).ticket()
        bench.finish(visitor)
        let orders = bench.recorder.takeTraffic()
        #expect(orders.count == 1 && orders[0].grant?.placed == .unpinned)
        #expect(bench.snapshot.queueLength == 1)
    }

    @Test func `those who come back do not keep it from its turn`() throws {
        let bench = dedicated { $0.threads = 1 }
        let visitor = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        _ = try ask(bench).ticket()
        bench.now = bench.now + .milliseconds(1)
        _ = try bench.acquire(as: visitor).ticket()
        bench.finish(visitor)
        #expect(bench.recorder.takeTraffic().compactMap(\.grant?.placed) == [.unpinned])
    }

    @Test func `it does not wait for the minimum of a cold start`() throws {
        let bench = Bench { policy in
            (policy.minimum, policy.maximum) = (2, 2)
            policy.placement = .spread
        }
        _ = try ask(bench).ticket()
        let first = bench.takeStarts()[0]
        bench.spawn(first)
        bench.group.becameReady(first, now: bench.now)
        #expect(bench.recorder.takeTraffic().compactMap(\.grant?.process) == [first])
    }

    @Test func `it has a process started where there is none`() throws {
        let bench = Bench { ($0.minimum, $0.maximum) = (0, 1) }
        _ = try ask(bench).ticket()
        bench.readyAll()
        #expect(bench.recorder.takeTraffic().count == 1)
    }

    @Test func `no session begins in it later`() throws {
        let bench = dedicated()
        let grant = try ask(bench).grant()
        bench.group.pin(bench.freshSession(), of: grant, now: bench.now)
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `a request in which a session may begin holds a place meanwhile`() throws {
        let bench = dedicated()
        let grant = try bench.acquire(pinned: false).grant()
        _ = try bench.acquire().ticket()
        bench.finish(grant)
        #expect(bench.recorder.takeTraffic().count == 1)
    }
}
