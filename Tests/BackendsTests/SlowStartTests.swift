internal import Backends
internal import Testing

@Suite struct SlowStartTests {
    private func bench(_ span: Interval = .seconds(32), threads: Int = 64) -> Bench {
        Bench.external([1, 1]) { policy in
            policy.slowStart = span
            policy.threads = threads
        }
    }

    /// Takes a server down and has it answer its probe.
    private func fallAndReturn(_ bench: Bench) throws -> ProcessHandle {
        let session = try bench.visit()
        bench.finish(try bench.acquire(as: session).grant(), .connectFailed)
        bench.pass(.seconds(1))
        bench.finish(try bench.acquire(as: session).grant())
        return session.process
    }

    private func server(_ bench: Bench, _ handle: ProcessHandle) throws -> ProcessSnapshot {
        try #require(bench.snapshot.processes.first { $0.handle == handle })
    }

    @Test func `the share and the slots of a server that is back grow with the time`() throws {
        let bench = bench()
        let back = try fallAndReturn(bench)
        var slots: [Int] = []
        for _ in 0..<4 {
            slots.append(try server(bench, back).slots)
            bench.pass(.seconds(8))
        }
        #expect(slots == [1, 16, 32, 48])
        #expect(try server(bench, back).slots == 64)
        #expect(try server(bench, back).server?.slowStartLeft == nil)
        #expect(try server(bench, back).server?.share == 1)
    }

    @Test func `new sessions go to it by its share`() throws {
        let bench = bench(threads: 1000)
        let back = try fallAndReturn(bench)
        func share(of count: Int) throws -> Int {
            try (0..<count).count { _ in try bench.visit().process == back }
        }
        #expect(try share(of: 60) <= 2)
        bench.pass(.seconds(16))
        // By now it should have half of what the other has.
        _ = try share(of: 60)
        let sessions = bench.snapshot.processes.map(\.sessions)
        let own = try server(bench, back).sessions
        let other = sessions.reduce(0, +) - own
        #expect((other * 2 / 5...other * 3 / 5).contains(own))
    }

    @Test func `waiters get the slots that it gains`() throws {
        let bench = bench()
        let back = try fallAndReturn(bench)
        let session = try bench.visit(on: back)
        _ = try bench.acquire(as: session).grant()
        _ = try bench.acquire(as: session).ticket()
        bench.pass(.seconds(2))
        #expect(bench.recorder.takeTraffic().first?.grant?.process == back)
    }

    @Test func `the only server has its whole share at once`() throws {
        let bench = Bench.external([1]) { policy in
            policy.slowStart = .seconds(30)
            policy.threads = 9
        }
        let back = try fallAndReturn(bench)
        #expect(try server(bench, back).slots == 9)
    }

    @Test func `a weight counts for new sessions and for requests without one`() throws {
        let bench = Bench.external([1, 3])
        let heavy = bench.snapshot.processes[1].handle
        let sessions = try (0..<40).count { _ in try bench.visit().process == heavy }
        #expect(sessions == 30)
        let other = Bench.external([1, 3])
        let requests = try (0..<40).count { _ in
            let grant = try other.acquire(pinned: false).grant()
            other.finish(grant)
            return grant.process == other.snapshot.processes[1].handle
        }
        #expect(requests == 30)
    }
}
