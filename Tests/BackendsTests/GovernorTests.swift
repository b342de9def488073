internal import Backends
internal import Testing

@Suite struct GovernorTests {
    private func elastic(_ configure: (inout GroupPolicy) -> Void = { _ in }) -> Bench {
        Bench { policy in
            policy.minimum = 0
            policy.maximum = 4
            policy.threads = 10
            policy.placement = .pack
            configure(&policy)
        }
    }

    @Test func `nothing runs before the first request`() {
        let bench = elastic()
        #expect(bench.recorder.starts.isEmpty)
        #expect(bench.group.nextDeadline == nil)
    }

    @Test func `so many cold requests start so many processes`() throws {
        for (requests, starts) in [(1, 1), (10, 1), (11, 2), (12, 2), (40, 4), (60, 4)] {
            let bench = elastic()
            for _ in 0..<requests { _ = try bench.acquire().ticket() }
            #expect(bench.recorder.starts.count == starts, "\(requests) requests")
        }
    }

    @Test func `the first cold request is answered by the process it started`() throws {
        let bench = elastic()
        _ = try bench.acquire().ticket()
        let started = bench.readyAll()
        #expect(bench.recorder.takeTraffic().map { $0.grant?.process } == started)
    }

    @Test func `waiters that a ready process takes over start no further one`() throws {
        let bench = elastic()
        for _ in 0..<12 { _ = bench.acquire() }
        bench.readyAll()
        #expect(bench.recorder.takeTraffic().count == 12)
        #expect(bench.recorder.starts.count == 2)
    }

    @Test func `limited sessions count as slots do`() throws {
        let bench = elastic { $0.sessionsPerProcess = 1 }
        for _ in 0..<3 { _ = try bench.acquire().ticket() }
        #expect(bench.recorder.starts.count == 3)
    }

    @Test func `a process that the maximum forbids is counted`() throws {
        let bench = elastic { $0.maximum = 1 }
        for _ in 0..<10 { _ = bench.acquire() }
        #expect(bench.snapshot.limitReachedTotal == 0)
        for _ in 0..<3 { _ = bench.acquire() }
        #expect(bench.snapshot.limitReachedTotal == 3)
    }

    @Test func `a group without a queue starts a process for a refused request`() throws {
        let bench = elastic { $0.queueLimit = 0 }
        #expect(bench.acquire().refusal?.reason == .queueFull)
        #expect(bench.acquire().refusal?.reason == .queueFull)
        #expect(bench.recorder.starts.count == 1)
        bench.readyAll()
        _ = try bench.acquire().grant()
    }

    @Test func `the minimum is started at once`() {
        let bench = elastic {
            $0.minimum = 3
            $0.placement = .spread
        }
        #expect(bench.recorder.startReasons == [.minimum, .minimum, .minimum])
    }

    @Test func `an untried group tries no more than eight processes at once`() {
        let bench = elastic {
            $0.minimum = 20
            $0.maximum = 20
        }
        #expect(bench.recorder.starts.count == 8)
        let first = bench.takeStarts()[0]
        bench.spawn(first)
        bench.group.becameReady(first, now: bench.now)
        #expect(bench.recorder.starts.count == 20)
    }
}
