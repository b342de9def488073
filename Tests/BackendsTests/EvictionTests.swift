internal import Backends
internal import Testing

@Suite struct EvictionTests {
    /// One process above a minimum of `minimum`, all ready, without sessions.
    private func surplus(minimum: Int = 0, _ configure: (inout GroupPolicy) -> Void = { _ in })
        throws -> Bench
    {
        let bench = Bench { policy in
            policy.minimum = minimum
            policy.maximum = minimum + 1
            policy.placement = .pack
            policy.idleTimeout = .seconds(100)
            policy.sessionIdle = .seconds(10)
            configure(&policy)
        }
        bench.readyAll()
        let running = try (0..<minimum).map { _ in try bench.acquire(pinned: false).grant() }
        _ = bench.acquire(pinned: false)
        bench.readyAll()
        let last = try #require(bench.recorder.takeTraffic().first?.grant)
        for grant in running + [last] { bench.finish(grant) }
        return bench
    }

    @Test func `an idle transient process ends after the idle timeout`() throws {
        let bench = try surplus()
        bench.pass(.seconds(89))
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.seconds(22))
        #expect(
            bench.recorder.supervision.last == .terminate(bench.recorder.starts[0], reason: .idle))
    }

    @Test func `the minimum is never evicted`() throws {
        let bench = try surplus(minimum: 2)
        bench.pass(.seconds(1000))
        #expect(bench.recorder.terminated.count == 1)
    }

    @Test func `a process is kept for a session that only might come back`() throws {
        let bench = try surplus { $0.sessionIdle = .seconds(1000) }
        let session = try bench.visit()
        bench.finish(try bench.acquire(as: session).grant())
        bench.pass(.seconds(999))
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.seconds(1))
        #expect(bench.recorder.terminated.count == 1)
    }

    @Test func `a process is kept for a request that runs`() throws {
        let bench = try surplus()
        _ = try bench.acquire(pinned: false).grant()
        bench.pass(.seconds(10_000))
        #expect(bench.recorder.terminated.isEmpty)
    }

    @Test func `every request restarts the idle time`() throws {
        let bench = try surplus()
        for _ in 0..<5 {
            bench.pass(.seconds(80))
            bench.finish(try bench.acquire(pinned: false).grant())
        }
        #expect(bench.recorder.terminated.isEmpty)
    }

    @Test func `the longest idle process ends first`() throws {
        let bench = Bench { policy in
            policy.minimum = 0
            policy.maximum = 2
            policy.placement = .pack
            policy.idleTimeout = .seconds(100)
        }
        _ = bench.acquire(pinned: false)
        _ = bench.acquire(pinned: false)
        bench.readyAll()
        let grants = bench.recorder.takeTraffic().compactMap(\.grant)
        bench.finish(grants[1])
        bench.pass(.seconds(50))
        bench.finish(grants[0])
        bench.pass(.seconds(61))
        #expect(bench.recorder.terminated == [grants[1].process])
    }

    @Test func `a request that comes as its process is evicted gets another one`() throws {
        let bench = try surplus()
        let evicted = bench.recorder.starts[0]
        bench.pass(.seconds(120))
        #expect(bench.recorder.terminated == [evicted])
        _ = try bench.acquire(pinned: false).ticket()
        bench.exit(evicted, status: 0)
        let started = bench.readyAll()
        #expect(bench.recorder.takeTraffic().map { $0.grant?.process } == started)
        #expect(started != [evicted])
    }

    @Test func `idle times differ by up to a tenth`() throws {
        var ends: Set<Int> = []
        for seed in 0..<20 {
            let bench = Bench(seed: UInt64(seed)) { policy in
                policy.minimum = 0
                policy.placement = .pack
                policy.idleTimeout = .seconds(100)
            }
            _ = bench.acquire(pinned: false)
            bench.readyAll()
            bench.finish(try #require(bench.recorder.takeTraffic().first?.grant))
            for second in 1...120 where bench.recorder.terminated.isEmpty {
                bench.pass(.seconds(1))
                if !bench.recorder.terminated.isEmpty { ends.insert(second) }
            }
        }
        #expect(ends.allSatisfy { (90...111).contains($0) } && ends.count > 5)
    }

    @Test func `an unused group has nothing to be woken for`() throws {
        let bench = try surplus()
        bench.pass(.seconds(200))
        bench.exit(bench.recorder.starts[0], status: 0)
        bench.group.advance(to: bench.now)
        #expect(bench.group.nextDeadline == nil)
    }
}
