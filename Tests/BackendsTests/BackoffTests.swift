internal import Backends
internal import Testing

@Suite struct BackoffTests {
    private func bench(minimum: Int, maximum: Int, seed: UInt64 = 1) -> Bench {
        Bench(seed: seed) { policy in
            policy.minimum = minimum
            policy.maximum = maximum
            policy.placement = .pack
        }
    }

    /// Fails every start at once for a span, with a client that asks all the time.
    private func startsWhileBroken(_ bench: Bench, for span: Interval) -> Int {
        let end = bench.now + span
        while bench.now < end {
            _ = bench.acquire()
            bench.failAll()
            bench.pass(.milliseconds(100))
            bench.failAll()
        }
        return bench.recorder.starts.count
    }

    @Test(arguments: 0..<8)
    func `a broken group makes at most eight starts in its first minute`(seed: UInt64) {
        for (minimum, maximum) in [(0, 1), (1, 1), (0, 4), (3, 3), (5, 8), (8, 8), (20, 20)] {
            let bench = bench(minimum: minimum, maximum: maximum, seed: seed)
            let starts = startsWhileBroken(bench, for: .seconds(60))
            #expect((2...8).contains(starts), "min \(minimum), max \(maximum)")
        }
    }

    @Test func `who looks at the group when a start is due does not put it off`() throws {
        let bench = bench(minimum: 1, maximum: 1)
        bench.failAll()
        let due = try #require(bench.group.nextDeadline)
        _ = bench.group.snapshot(now: due + .seconds(1))
        #expect(bench.group.nextDeadline == due)
    }

    @Test func `a waiter for a start that fails is refused at once`() throws {
        let bench = bench(minimum: 0, maximum: 1)
        _ = try bench.acquire().ticket()
        bench.failAll()
        let refusal = try #require(bench.recorder.takeTraffic().first?.refusal)
        #expect(refusal.reason == .groupFailing && refusal.retryAfterSeconds == 1)
        #expect(bench.acquire().refusal?.reason == .groupFailing)
        #expect(bench.snapshot.failuresInARow == 1)
        #expect(bench.snapshot.lastFailure?.report.status == 1)
    }

    @Test func `a failed start leaves those who wait for another one alone`() throws {
        let bench = Bench {
            $0.minimum = 0
            $0.maximum = 2
        }
        _ = try bench.acquire().ticket()
        _ = try bench.acquire().ticket()
        let starts = bench.takeStarts()
        bench.exit(starts[0])
        #expect(bench.recorder.takeTraffic().isEmpty)
        bench.spawn(starts[1])
        bench.group.becameReady(starts[1], now: bench.now)
        #expect(bench.recorder.takeTraffic().compactMap(\.grant).count == 1)
    }

    @Test func `failures never touch a process that serves`() throws {
        let bench = bench(minimum: 0, maximum: 2)
        _ = bench.acquire()
        bench.readyAll()
        let good = try #require(bench.recorder.takeTraffic().first?.grant)
        for _ in 0..<200 {
            _ = bench.acquire()
            bench.failAll()
            bench.pass(.seconds(1))
        }
        #expect(bench.snapshot.state == .failing)
        bench.finish(good)
        #expect(bench.recorder.terminated.isEmpty)
        #expect(bench.snapshot.state == .ok, "a served request ends it")
    }

    @Test func `a failing group refuses at once and probes once a period`() throws {
        let bench = bench(minimum: 0, maximum: 4)
        _ = startsWhileBroken(bench, for: .seconds(180))
        #expect(bench.snapshot.state == .failing)
        #expect(bench.recorder.events.count { if case .failing = $0 { true } else { false } } == 1)
        let before = bench.recorder.starts.count
        _ = startsWhileBroken(bench, for: .seconds(600))
        #expect((9...10).contains(bench.recorder.starts.count - before))
        #expect(bench.recorder.startReasons.last == .probe)
        let refusal = try #require(bench.acquire().refusal)
        #expect((1...66).contains(refusal.retryAfterSeconds))
    }

    @Test func `a probe that serves ends the failing`() throws {
        let bench = bench(minimum: 1, maximum: 1)
        _ = startsWhileBroken(bench, for: .seconds(180))
        bench.pass(.seconds(70))
        bench.readyAll()
        bench.finish(try bench.acquire().grant())
        #expect(bench.snapshot.state == .ok && bench.snapshot.failuresInARow == 0)
        #expect(bench.recorder.events.contains(.recovered))
    }

    @Test func `reset starts what is wanted at once`() {
        let bench = bench(minimum: 1, maximum: 1)
        _ = startsWhileBroken(bench, for: .seconds(180))
        let before = bench.recorder.starts.count
        bench.group.reset(now: bench.now)
        #expect(bench.recorder.starts.count == before + 1)
        #expect(bench.snapshot.failuresInARow == 0)
    }

    @Test func `a process that had served is replaced at once when it crashes`() throws {
        let bench = Bench.ready(2)
        let grant = try bench.visit()
        bench.exit(grant.process)
        #expect(bench.recorder.startReasons == [.minimum, .minimum, .minimum])
    }

    @Test func `a process that crashes before it served is replaced after a while`() throws {
        let bench = Bench.ready(1)
        bench.exit(bench.recorder.starts[0])
        #expect(bench.recorder.starts.count == 1)
        bench.pass(.milliseconds(499))
        #expect(bench.recorder.starts.count == 1)
        bench.pass(.milliseconds(501))
        #expect(bench.recorder.starts.count == 2)
    }

    @Test func `a program that ends after each request is slowed down`() throws {
        let bench = Bench.ready(1)
        var requests = 0
        let end = bench.now + .seconds(600)
        while bench.now < end {
            if case .granted(let grant) = bench.acquire() {
                requests += 1
                bench.finish(grant)
                bench.exit(grant.process, status: 0)
            }
            bench.pass(.milliseconds(100))
            bench.readyAll()
            for order in bench.recorder.takeTraffic() {
                guard let grant = order.grant else { continue }
                bench.finish(grant)
                bench.exit(grant.process, status: 0)
            }
        }
        #expect(bench.recorder.starts.count < 30)
        #expect(bench.snapshot.state == .failing)
    }

    @Test func `many processes that die of one cause come back at once`() throws {
        let bench = Bench.ready(50) { $0.threads = 10 }
        let grants = try (0..<50).map { _ in try bench.visit() }
        #expect(Set(grants.map(\.process)).count == 50)
        for grant in grants { bench.exit(grant.process) }
        #expect(bench.recorder.starts.count == 100)
    }

    @Test func `a start that takes too long is killed and counts as failed`() throws {
        let bench = Bench {
            $0.minimum = 0
            $0.startTimeout = .seconds(10)
        }
        _ = try bench.acquire().ticket()
        let handle = bench.takeStarts()[0]
        bench.spawn(handle)
        bench.pass(.milliseconds(9_999))
        #expect(bench.recorder.killed.isEmpty)
        bench.pass(.milliseconds(1))
        #expect(bench.recorder.supervision.last == .kill(handle, reason: .startTimeout))
        #expect(bench.recorder.takeTraffic().first?.refusal?.reason == .groupFailing)
        bench.group.exited(
            handle, ExitReport(reason: "killed", signal: 9, output: ["hello"]), now: bench.now)
        let failure = try #require(bench.snapshot.lastFailure)
        #expect(failure.report.reason == "not ready within 10 s (start_timeout); killed")
        #expect(failure.report.output == ["hello"])
        #expect(bench.snapshot.failuresInARow == 1)
    }

    @Test func `who waits beside an ill process is refused when another group gets its room`()
        throws
    {
        let bench = Bench { ($0.minimum, $0.maximum) = (0, 2) }
        _ = try bench.acquire(pinned: false).ticket()
        bench.readyAll()
        guard case .grant(_, let grant)? = bench.recorder.takeTraffic().first else {
            Issue.record("not served")
            return
        }
        bench.finish(grant)
        bench.group.recycle(grant.process, reason: .unhealthy, now: bench.now)
        bench.failAll()
        _ = try bench.acquire(pinned: false).ticket()
        #expect(Group.makeRoom(among: [bench.group], now: bench.now))
        guard case .refuse(_, let refusal)? = bench.recorder.takeTraffic().first else {
            Issue.record("it waits for nothing")
            return
        }
        #expect(refusal.reason == .groupFailing)
    }
}
