internal import Backends
internal import Testing

/// Permanent processes are filled evenly, transient ones packed; the next one starts ahead of need.
@Suite struct AutoPlacementTests {
    private static func elastic(_ configure: (inout GroupPolicy) -> Void) -> Bench {
        let bench = Bench { policy in
            policy.minimum = 2
            policy.maximum = 5
            policy.threads = 10
            configure(&policy)
        }
        bench.readyAll()
        return bench
    }

    private func sessions(of bench: Bench) -> [Int] { bench.snapshot.processes.map(\.sessions) }

    @Test func `visitors who come one after another fill the permanent processes evenly`() throws {
        let bench = Self.elastic { _ in }
        for _ in 0..<60 { _ = try bench.visit() }
        #expect(sessions(of: bench) == [30, 30])
    }

    @Test func `transient processes are packed, so that they empty out`() throws {
        let bench = Self.elastic { $0.sessionsPerProcess = 4 }
        while sessions(of: bench).count < 3 { _ = try bench.visit() }
        bench.readyAll()
        while sessions(of: bench).count < 4 { _ = try bench.visit() }
        bench.readyAll()
        #expect(sessions(of: bench) == [4, 4, 3, 0])
        _ = try bench.visit()
        #expect(sessions(of: bench) == [4, 4, 4, 0])
    }

    @Test func `a process that takes a permanent one's place is permanent`() throws {
        let bench = Self.elastic { $0.sessionsPerProcess = 4 }
        while sessions(of: bench).count < 3 { _ = try bench.visit() }
        bench.readyAll()
        bench.exit(bench.snapshot.processes[0].handle)
        // The oldest two of those left are permanent, and filled evenly.
        _ = try bench.visit()
        _ = try bench.visit()
        #expect(bench.snapshot.processes.map(\.transient).prefix(2) == [false, false])
        #expect(sessions(of: bench)[1] == 2)
    }

    @Test func `a cold start waits for the permanent processes`() throws {
        let bench = Bench { policy in
            policy.minimum = 2
            policy.maximum = 4
            policy.threads = 10
        }
        for _ in 0..<8 { _ = try bench.acquire().ticket() }
        bench.readyAll()
        #expect(bench.snapshot.processes.map(\.inFlight) == [4, 4])
    }

    @Test func `with session places the next process starts before they run out`() throws {
        let bench = Self.elastic { $0.sessionsPerProcess = 10 }
        for _ in 0..<17 { _ = try bench.visit() }
        #expect(bench.recorder.startReasons == [.minimum, .minimum])
        _ = try bench.visit()
        #expect(bench.recorder.startReasons == [.minimum, .minimum, .sessions])
        _ = try bench.visit()
        #expect(bench.recorder.startReasons.count == 3, "one is under way")
    }

    @Test func `without them it starts when there are ten sessions for each slot`() throws {
        let bench = Self.elastic { $0.threads = 1 }
        for _ in 0..<20 { _ = try bench.visit() }
        #expect(bench.recorder.startReasons == [.minimum, .minimum])
        _ = try bench.visit()
        #expect(bench.recorder.startReasons == [.minimum, .minimum, .sessions])
        bench.readyAll()
        _ = try bench.visit()
        #expect(sessions(of: bench) == [11, 10, 1])
    }

    @Test func `with a process for every session only spare ones are started ahead`() throws {
        let bench = Self.elastic { $0.sessionsPerProcess = 1 }
        for _ in 0..<2 { _ = try bench.visit() }
        #expect(bench.recorder.startReasons == [.minimum, .minimum])
    }

    @Test func `an idle process stays while the sessions of the others are many`() throws {
        let bench = Self.elastic {
            $0.sessionsPerProcess = 10
            $0.idleTimeout = .seconds(30)
            $0.sessionIdle = .seconds(1800)
            $0.unconfirmed = .seconds(1800)
        }
        let visits = try (0..<18).map { _ in try bench.visit() }
        bench.readyAll()
        bench.pass(.seconds(300))
        #expect(bench.recorder.terminated.isEmpty && bench.recorder.starts.count == 3)
        for visit in visits.prefix(6) {
            bench.group.endSession(try #require(visit.session), now: bench.now)
        }
        bench.pass(.seconds(60))
        #expect(bench.recorder.terminated.count == 1 && bench.recorder.starts.count == 3)
    }
}
