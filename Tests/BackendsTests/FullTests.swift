internal import Backends
internal import Testing

/// A group that has no session place left.
@Suite struct FullTests {
    @Test func `it is full when the last place is taken`() throws {
        let bench = Bench.ready(2) { ($0.threads, $0.sessionsPerProcess) = (4, 1) }
        _ = try bench.visit()
        #expect(bench.snapshot.state == .ok)
        let last = try bench.visit()
        #expect(bench.snapshot.state == .full)
        bench.group.endSession(try #require(last.session), now: bench.now)
        #expect(bench.snapshot.state == .ok)
    }

    @Test func `it is not full while a process may be started, or is`() throws {
        let bench = Bench {
            ($0.minimum, $0.maximum, $0.threads, $0.sessionsPerProcess) = (1, 2, 4, 1)
        }
        bench.readyAll()
        _ = try bench.visit()
        #expect(bench.snapshot.state == .ok)
        _ = try bench.acquire().ticket()
        #expect(bench.snapshot.state == .ok)
        _ = try bench.acquire().ticket()
        #expect(bench.snapshot.state == .ok)
        bench.readyAll()
        #expect(bench.snapshot.state == .full)
    }

    @Test func `busy slots do not make it full, nor do sessions without places`() throws {
        let bench = Bench.ready(1) { $0.threads = 1 }
        _ = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        #expect(bench.snapshot.state == .ok)
    }

    @Test func `servers can be full`() throws {
        let bench = Bench.external([1, 1]) { ($0.threads, $0.sessionsPerProcess) = (4, 1) }
        _ = try bench.visit()
        _ = try bench.visit()
        #expect(bench.snapshot.state == .full)
    }
}
