internal import Backends
internal import Testing

@Suite struct ExternalTests {
    @Test func `external servers are ready from the start and nothing is spawned`() throws {
        let bench = Bench.external([1, 1])
        #expect(bench.recorder.supervision.isEmpty)
        let grant = try bench.acquire().grant()
        #expect(bench.group.address(of: grant.process) == .tcp(host: "10.0.0.1", port: 8000))
        #expect(bench.snapshot.state == .ok && !bench.snapshot.isSpawned)
    }

    @Test func `a server has the same incarnation in every run`() throws {
        let one = Bench.external([1])
        let other = Bench.external([1, 1])
        let first = try one.acquire().grant().incarnation
        #expect(try other.acquire().grant().incarnation == first)
        #expect(try other.acquire().grant().incarnation != first)
    }

    @Test func `a failed connection takes a server out for a second`() throws {
        let bench = Bench.external([1, 1])
        let session = try bench.visit()
        bench.finish(try bench.acquire(as: session).grant(), .connectFailed)
        #expect(bench.recorder.events.contains(.down(session.process, retryIn: .seconds(1))))
        #expect(bench.recorder.supervision.isEmpty)
        let moved = try bench.acquire(as: session).grant()
        #expect(moved.process != session.process && moved.affinity == .lost)
        bench.pass(.seconds(1))
        #expect(bench.recorder.events.contains(.up(session.process)))
    }

    @Test func `a server that stays away is tried ever more rarely`() throws {
        let bench = Bench.external([1])
        var waits: [Interval] = []
        for _ in 0..<8 {
            bench.finish(try bench.acquire(pinned: false).grant(), .connectFailed)
            guard case .down(_, let wait) = bench.recorder.events.last else {
                Issue.record("not down")
                return
            }
            waits.append(wait)
            bench.pass(wait)
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60].map(Interval.seconds))
    }

    @Test func `failures of one moment count once and a served request forgets them`() throws {
        let bench = Bench.external([1]) { $0.threads = 3 }
        let grants = try (0..<3).map { _ in try bench.acquire(pinned: false).grant() }
        for grant in grants { bench.finish(grant, .connectFailed) }
        bench.pass(.seconds(1))
        bench.finish(try bench.acquire(pinned: false).grant())
        bench.finish(try bench.acquire(pinned: false).grant(), .connectFailed)
        #expect(bench.recorder.events.last == .down(grants[0].process, retryIn: .seconds(1)))
    }

    @Test func `sessions that did not come meanwhile go back to their server`() throws {
        let bench = Bench.external([1, 1])
        let one = try bench.visit()
        _ = try bench.visit()
        let two = try bench.visit()
        #expect(one.process == two.process)
        bench.finish(try bench.acquire(as: one).grant(), .connectFailed)
        bench.finish(try bench.acquire(as: one).grant())
        bench.pass(.seconds(1))
        #expect(try bench.acquire(as: two).grant().process == two.process)
    }

    @Test func `requests are refused while every server is out`() throws {
        let bench = Bench.external([1]) { $0.threads = 1 }
        let running = try bench.acquire(pinned: false).grant()
        _ = try bench.acquire().ticket()
        bench.finish(running, .connectFailed)
        let refusal = try #require(bench.recorder.takeTraffic().first?.refusal)
        #expect(refusal.reason == .groupFailing && refusal.retryAfterSeconds == 1)
        #expect(bench.acquire().refusal?.reason == .groupFailing)
        #expect(bench.snapshot.state == .failing)
        bench.pass(.seconds(1))
        _ = try bench.acquire().grant()
    }

    @Test func `a waiting session meets its server when that is back`() throws {
        let bench = Bench.external([1, 1])
        let session = try bench.visit()
        _ = try bench.acquire(pinned: false).grant()
        bench.finish(try bench.acquire(as: session).grant(), .connectFailed)
        _ = try bench.acquire(as: session).ticket()
        bench.pass(.seconds(1))
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        #expect(grant.process == session.process && grant.affinity == .kept)
    }

    @Test func `an external group is stopped as soon as it is shut down`() {
        let bench = Bench.external([1])
        bench.group.shutDown(now: bench.now)
        #expect(bench.group.isStopped && bench.recorder.supervision.isEmpty)
    }

    @Test func `servers that come back together get their own sessions`() throws {
        let bench = Bench.external([1, 1, 1])
        let sessions = [try bench.visit(), try bench.visit(), try bench.visit()]
        let third = try bench.acquire(as: sessions[2]).grant()
        for session in sessions[..<2] {
            bench.finish(try bench.acquire(as: session).grant(), .connectFailed)
        }
        for session in [sessions[1], sessions[0]] { _ = try bench.acquire(as: session).ticket() }
        bench.pass(.seconds(1))
        let grants = bench.recorder.takeTraffic().compactMap(\.grant)
        #expect(grants.map(\.session) == [sessions[1].session, sessions[0].session])
        #expect(grants.map(\.process) == [sessions[1].process, sessions[0].process])
        bench.finish(third)
    }
}
