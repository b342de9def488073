internal import Backends
internal import Testing

/// A group that leaves the configuration, and comes back.
@Suite struct RetirementTests {
    private func policy(_ count: Int = 2, _ change: (inout GroupPolicy) -> Void = { _ in })
        -> GroupPolicy
    {
        var policy = GroupPolicy(name: "django")
        (policy.minimum, policy.maximum, policy.threads) = (count, count, 2)
        change(&policy)
        return policy
    }

    private func bench(_ policy: GroupPolicy) -> Bench {
        let bench = Bench { $0 = policy }
        while !bench.readyAll().isEmpty {}
        return bench
    }

    private func retire(_ bench: Bench) { bench.group.retire(now: bench.now) }

    private func revive(_ bench: Bench, _ policy: GroupPolicy, newGeneration: Bool = false) {
        bench.group.revive(policy, newGeneration: newGeneration, now: bench.now)
    }

    @Test func `the processes that are left serve again, with their sessions`() throws {
        let bench = bench(policy())
        let visitors = [try bench.visit(), try bench.visit()]
        retire(bench)
        #expect(bench.snapshot.state == .stopped)
        bench.pass(.seconds(60))
        revive(bench, policy())
        #expect(
            bench.snapshot.state == .ok
                && bench.snapshot.processes.allSatisfy { $0.state == .ready })
        #expect(bench.takeStarts().isEmpty && bench.snapshot.drainingSessions == 0)
        for visitor in visitors {
            let grant = try bench.acquire(as: visitor).grant()
            #expect(grant.process == visitor.process && grant.affinity == .kept)
            bench.finish(grant)
        }
        _ = try bench.acquire().grant()
        // The time that they had to end in is over.
        bench.pass(.seconds(2 * 3600))
        #expect(bench.recorder.terminated.isEmpty)
    }

    @Test func `what has ended meanwhile is started again`() throws {
        let bench = bench(policy())
        let visitor = try bench.visit()
        retire(bench)
        #expect(bench.recorder.terminated.count == 1)
        revive(bench, policy())
        #expect(bench.takeStarts().count == 1)
        #expect(try bench.acquire(as: visitor).grant().process == visitor.process)
    }

    @Test func `one that has ended altogether starts from scratch`() throws {
        let bench = bench(policy())
        retire(bench)
        for process in bench.snapshot.processes { bench.exit(process.handle, status: 0) }
        #expect(bench.group.isStopped)
        revive(bench, policy())
        #expect(bench.readyAll().count == 2 && !bench.group.isStopped)
        _ = try bench.acquire().grant()
    }

    @Test func `with another launch the old processes keep their own sessions only`() throws {
        let bench = bench(policy())
        let visitors = [try bench.visit(), try bench.visit()]
        retire(bench)
        revive(bench, policy(), newGeneration: true)
        #expect(bench.readyAll().count == 2)
        for visitor in visitors {
            #expect(try bench.acquire(as: visitor).grant().process == visitor.process)
        }
        let stranger = try bench.acquire().grant()
        #expect(!visitors.map(\.process).contains(stranger.process))
    }

    @Test func `a generation that was starting when it was retired starts again`() throws {
        let bench = bench(policy(1))
        let visitor = try bench.visit()
        _ = bench.group.restart(now: bench.now)
        _ = bench.takeStarts()
        retire(bench)
        revive(bench, policy(1))
        #expect(bench.readyAll().count == 1)
        #expect(try bench.acquire(as: visitor).grant().process == visitor.process)
        #expect(try bench.acquire().grant().process != visitor.process)
    }

    @Test func `it comes back within its new bounds`() throws {
        let bench = bench(policy(3))
        let visitors = [try bench.visit(), try bench.visit(), try bench.visit()]
        retire(bench)
        revive(bench, policy(1))
        #expect(bench.snapshot.processes.count { $0.state == .ready } == 1)
        for visitor in visitors {
            #expect(try bench.acquire(as: visitor).grant().process == visitor.process)
        }
    }

    @Test func `an adoption is to find them in service`() throws {
        let bench = bench(policy())
        let visitor = try bench.visit()
        retire(bench)
        revive(bench, policy())
        #expect(bench.recorder.supervision.contains(.rememberServing(visitor.process)))
        #expect(bench.recorder.events.contains(.reinstated(visitor.process)))
    }

    @Test func `one that was to be replaced is still replaced`() throws {
        let bench = bench(policy(1))
        let visitor = try bench.visit()
        bench.group.recycle(visitor.process, reason: .maxMemory, now: bench.now)
        let replacement = try #require(bench.takeStarts().first)
        retire(bench)
        bench.exit(replacement, status: 0)
        revive(bench, policy(1))
        #expect(bench.readyAll().count == 1)
        let process = bench.snapshot.processes.first { $0.handle == visitor.process }
        #expect(process?.state == .draining && process?.stopReason == .maxMemory)
    }

    @Test func `servers come back too`() throws {
        let bench = Bench.external([1, 1])
        let visitor = try bench.visit()
        var policy = GroupPolicy(name: "django")
        policy.kind = .external([
            .init(address: .tcp(host: "10.0.0.1", port: 8000)),
            .init(address: .tcp(host: "10.0.0.2", port: 8000)),
        ])
        retire(bench)
        revive(bench, policy)
        #expect(try bench.acquire(as: visitor).grant().process == visitor.process)
        #expect(bench.snapshot.state == .ok)
    }

    // MARK: Shown as one

    @Test func `a former group of the name is shown as a part of it`() throws {
        let former = bench(policy())
        _ = try former.visit()
        _ = try former.visit()
        retire(former)
        let present = bench(policy())
        _ = try present.visit()
        var shown = present.snapshot
        shown.takeIn(former.snapshot)
        #expect(shown.sessionsLive == 3 && shown.drainingSessions == 2)
        #expect(shown.sessionsCreatedTotal == 3 && shown.spawnedTotal == 4)
        #expect(shown.state == .ok)
    }

    @Test func `a server of both is shown once`() throws {
        let former = Bench.external([1, 1])
        _ = try former.acquire().grant()
        retire(former)
        var shown = Bench.external([1]).snapshot
        shown.takeIn(former.snapshot)
        #expect(shown.processes.map(\.label) == ["10.0.0.1:8000"])
        #expect(shown.processes[0].inFlight == 1)
    }
}
