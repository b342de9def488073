internal import Backends
internal import Testing

@Suite struct DrainingBoundTests {
    private func recycling(
        most: Int = 0, _ configure: (inout GroupPolicy) -> Void = { _ in }
    ) -> Bench {
        Bench.ready(2) { policy in
            policy.threads = 4
            policy.drainingMaximum = most
            policy.stopTimeout = .seconds(1)
            configure(&policy)
        }
    }

    private func states(_ bench: Bench) -> [ProcessSnapshot.State: Int] {
        Dictionary(grouping: bench.snapshot.processes, by: \.state).mapValues(\.count)
    }

    /// A session on each process that serves, confirmed or not; then each is to recycle.
    private func recycleAll(_ bench: Bench, isConfirmed: Bool) throws {
        let serving = bench.snapshot.processes.filter { $0.state == .ready }
        for _ in serving {
            let grant = try bench.visit()
            if isConfirmed { bench.finish(try bench.acquire(as: grant).grant()) }
        }
        for process in serving {
            bench.group.recycle(process.handle, reason: .maxMemory, now: bench.now)
            bench.readyAll()
        }
        bench.readyAll()
    }

    @Test func `recycling waits while as many as max are draining`() throws {
        let bench = recycling()
        try recycleAll(bench, isConfirmed: true)
        #expect(states(bench) == [.ready: 2, .draining: 2])
        try recycleAll(bench, isConfirmed: true)
        #expect(states(bench) == [.ready: 2, .draining: 2])
        #expect(bench.recorder.events.count { $0 == .recyclingWaits(leaving: 2) } == 1)
    }

    @Test func `draining_max is the bound where it is set`() throws {
        let bench = recycling(most: 1)
        try recycleAll(bench, isConfirmed: true)
        #expect(states(bench) == [.ready: 2, .draining: 1])
    }

    @Test func `recycling goes on when a draining process has ended`() throws {
        let bench = recycling(most: 1)
        try recycleAll(bench, isConfirmed: true)
        let draining = try #require(bench.snapshot.processes.first { $0.state == .draining })
        bench.group.stop(draining.handle, now: bench.now)
        #expect(bench.takeStarts().isEmpty, "it is still there")
        bench.exit(draining.handle)
        bench.readyAll()
        #expect(states(bench) == [.ready: 2, .draining: 1])
        #expect(!bench.snapshot.processes.contains { $0.handle == draining.handle })
    }

    @Test func `an idle draining process with unconfirmed sessions only ends first`() throws {
        let bench = recycling(most: 1)
        try recycleAll(bench, isConfirmed: false)
        #expect(states(bench) == [.ready: 2, .draining: 1])
        bench.pass(.seconds(9))
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.seconds(1))
        let ended = try #require(bench.recorder.terminated.first)
        bench.exit(ended)
        bench.readyAll()
        #expect(states(bench) == [.ready: 2, .draining: 1])
        #expect(bench.snapshot.sessionsGivenWayTotal == 1 && bench.snapshot.sessionsLostTotal == 0)
    }

    @Test func `a draining process with a confirmed session, a request or a tunnel is kept`() throws
    {
        for kind in 0..<3 {
            let bench = recycling(most: 1)
            let grant = try bench.acquire().grant()
            switch kind {
            case 0:
                bench.finish(grant)
                bench.finish(try bench.acquire(as: grant).grant())
            case 1: break
            default: _ = bench.group.beginTunnel(grant, now: bench.now)
            }
            for process in bench.snapshot.processes {
                bench.group.recycle(process.handle, reason: .maxMemory, now: bench.now)
            }
            bench.readyAll()
            bench.readyAll()
            let draining = bench.snapshot.processes.filter { $0.state == .draining }
            if draining.contains(where: { $0.handle == grant.process }) {
                bench.pass(.seconds(100))
                #expect(bench.recorder.terminated.isEmpty, "kind \(kind)")
            }
        }
    }

    @Test func `an ill process is replaced whatever drains`() throws {
        let bench = recycling(most: 1)
        try recycleAll(bench, isConfirmed: true)
        let serving = bench.snapshot.processes.filter { $0.state == .ready }
        for process in serving {
            bench.group.recycle(process.handle, reason: .unhealthy, now: bench.now)
        }
        let healthy = bench.readyAll()
        #expect(!healthy.isEmpty)
    }

    @Test func `robots cannot pile processes up by being served`() throws {
        let bench = recycling { $0.maxRequests = 10 }
        var most = 0
        var dead = 0
        for _ in 0..<3000 {
            if case .granted(let grant) = bench.acquire() { bench.finish(grant) }
            bench.readyAll()
            let terminated = bench.recorder.terminated
            for handle in terminated[dead...] { bench.exit(handle) }
            dead = terminated.count
            most = max(most, bench.snapshot.processes.count)
            bench.pass(.milliseconds(50))
        }
        #expect(most <= 5, "two serve, one stands in, two drain")
        #expect(bench.snapshot.spawnedTotal > 20, "and they are still recycled")
    }
}
