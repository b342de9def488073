internal import Backends
internal import Testing

/// Tunnels, as the registry sees them: sessions without requests.
@Suite struct TunnelTests {
    private func bench(_ configure: (inout GroupPolicy) -> Void = { _ in }) -> Bench {
        Bench.ready { policy in
            policy.threads = 1
            policy.sessionIdle = .seconds(60)
            configure(&policy)
        }
    }

    /// A minimum of 0, so that a process without use is evicted.
    private func transientBench() throws -> (Bench, Grant) {
        let bench = Bench { policy in
            policy.minimum = 0
            policy.maximum = 1
            policy.sessionIdle = .seconds(60)
            policy.idleTimeout = .seconds(10)
        }
        _ = try bench.acquire().ticket()
        bench.readyAll()
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        return (bench, grant)
    }

    @Test func `a tunnel leaves its slot to others`() throws {
        let bench = bench()
        let grant = try bench.acquire().grant()
        _ = bench.group.beginTunnel(grant, now: bench.now)
        _ = try bench.acquire().grant()
        #expect(bench.snapshot.processes[0].tunnels == 1)
        #expect(bench.snapshot.processes[0].requestsTotal == 1)
    }

    @Test func `a waiter gets the slot of a tunnel`() throws {
        let bench = bench()
        let grant = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        _ = bench.group.beginTunnel(grant, now: bench.now)
        #expect(bench.recorder.takeTraffic().first?.grant != nil)
    }

    @Test func `with tunnel_slots a tunnel keeps its slot to the end`() throws {
        let bench = bench { $0.tunnelSlots = true }
        let grant = try bench.acquire().grant()
        let held = bench.group.beginTunnel(grant, now: bench.now)
        _ = try bench.acquire().ticket()
        #expect(bench.recorder.takeTraffic().isEmpty)
        bench.group.endTunnel(grant, .served, heldSlot: held, now: bench.now)
        #expect(bench.recorder.takeTraffic().first?.grant != nil)
        #expect(bench.snapshot.processes[0].tunnels == 0)
    }

    @Test func `a session lives as long as payload passes through its tunnel`() throws {
        let (bench, grant) = try transientBench()
        _ = bench.group.beginTunnel(grant, now: bench.now)
        for _ in 0..<10 {
            bench.pass(.seconds(50))
            bench.group.tunnelTraffic(grant, now: bench.now)
        }
        #expect(bench.snapshot.sessionsLive == 1)
        #expect(bench.recorder.terminated.isEmpty)
    }

    @Test func `payload renews a session whose time is over but which has not ended yet`() throws {
        let bench = bench()
        // Sessions end together every 50 ms.
        bench.now = MonotonicInstant(nanoseconds: 2_000_010_000_000)
        let grant = try bench.acquire().grant()
        _ = bench.group.beginTunnel(grant, now: bench.now)
        bench.pass(.milliseconds(60_020))
        bench.group.tunnelTraffic(grant, now: bench.now)
        bench.pass(.seconds(59))
        #expect(bench.snapshot.sessionsLive == 1)
        bench.pass(.seconds(2))
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `payload does not bring back a session that its application has ended`() throws {
        let bench = Bench.ready()
        let grant = try bench.acquire().grant()
        _ = bench.group.beginTunnel(grant, now: bench.now)
        bench.group.endSession(try #require(grant.session), now: bench.now)
        bench.group.tunnelTraffic(grant, now: bench.now)
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `a silent tunnel keeps no process`() throws {
        let (bench, grant) = try transientBench()
        let held = bench.group.beginTunnel(grant, now: bench.now)
        bench.pass(.seconds(59))
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.seconds(20))
        #expect(bench.recorder.terminated == [grant.process])
        bench.exit(grant.process, status: 0)
        bench.group.endTunnel(grant, .failed, heldSlot: held, now: bench.now)
    }

    @Test func `payload after the idle time begins the session again on its process`() throws {
        let bench = bench()
        let grant = try bench.acquire().grant()
        _ = bench.group.beginTunnel(grant, now: bench.now)
        bench.pass(.seconds(100))
        #expect(bench.snapshot.sessionsLive == 0)
        bench.group.tunnelTraffic(grant, now: bench.now)
        #expect(bench.snapshot.sessionsLive == 1)
        bench.pass(.seconds(100))
        #expect(bench.snapshot.sessionsLive == 0)
    }

    @Test func `a place that another session may hold by now is not taken back`() throws {
        let bench = bench { $0.sessionsPerProcess = 1 }
        let grant = try bench.acquire().grant()
        _ = bench.group.beginTunnel(grant, now: bench.now)
        bench.pass(.seconds(100))
        let other = try bench.acquire().grant()
        bench.group.tunnelTraffic(grant, now: bench.now)
        #expect(bench.snapshot.sessionsLive == 1)
        bench.finish(other)
    }

    @Test func `a tunnel without a session keeps its process while it is open`() throws {
        let (bench, first) = try transientBench()
        bench.finish(first)
        let grant = try bench.acquire(pinned: false).grant()
        let held = bench.group.beginTunnel(grant, now: bench.now)
        bench.pass(.seconds(1000))
        #expect(bench.recorder.terminated.isEmpty)
        bench.group.endTunnel(grant, .served, heldSlot: held, now: bench.now)
        bench.pass(.seconds(20))
        #expect(bench.recorder.terminated == [grant.process])
    }

    @Test func `a draining process waits for the sessions of its tunnels`() throws {
        let bench = bench { policy in
            policy.maximum = 2
        }
        let grant = try bench.acquire().grant()
        _ = bench.group.beginTunnel(grant, now: bench.now)
        bench.group.drain(grant.process, now: bench.now)
        bench.pass(.seconds(50))
        bench.group.tunnelTraffic(grant, now: bench.now)
        bench.pass(.seconds(50))
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.seconds(20))
        #expect(bench.recorder.terminated == [grant.process])
    }

    @Test func `the end of a tunnel whose process is gone is harmless`() throws {
        let bench = bench()
        let grant = try bench.acquire().grant()
        let held = bench.group.beginTunnel(grant, now: bench.now)
        bench.exit(grant.process)
        bench.readyAll()
        bench.group.tunnelTraffic(grant, now: bench.now)
        bench.group.endTunnel(grant, .failed, heldSlot: held, now: bench.now)
        #expect(bench.group.brokenInvariant == nil)
    }

    @Test func `a tunnel holds no slot, and its payload keeps the session alive`() throws {
        let bench = Bench("app") { policy in
            policy.minimum = 0
            policy.sessionIdle = .seconds(10)
            policy.idleTimeout = .seconds(1)
        }
        let request = AdmissionRequest(
            claim: nil, newSession: SessionID(high: 9, low: 9), waiter: WaiterTag(1))
        guard case .queued = bench.group.acquire(request, now: bench.now) else { return }
        while !bench.readyAll().isEmpty {}
        let orders = bench.recorder.takeTraffic()
        guard case .grant(_, let grant)? = orders.first else {
            Issue.record("no grant in \(orders)")
            return
        }
        #expect(!bench.group.beginTunnel(grant, now: bench.now))
        #expect(bench.group.snapshot(now: bench.now).processes[0].inFlight == 0)
        for _ in 0..<5 {
            bench.pass(.seconds(8))
            bench.group.tunnelTraffic(grant, now: bench.now)
        }
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.seconds(30))
        #expect(bench.recorder.terminated == [grant.process])
        bench.group.endTunnel(grant, .served, heldSlot: false, now: bench.now)
    }
}
