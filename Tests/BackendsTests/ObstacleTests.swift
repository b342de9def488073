internal import Backends
internal import Testing

/// What keeps a new session from being placed at once, for `/readyz`.
@Suite struct ObstacleTests {
    @Test func `a group that would place a session at once has none`() {
        #expect(Bench.ready(2).snapshot.obstacle == nil)
    }

    @Test func `a process that is ready is not enough while more of the first ones start`() {
        let bench = Bench { ($0.minimum, $0.maximum) = (3, 3) }
        #expect(bench.snapshot.obstacle == .coldStart)
        let starts = bench.takeStarts()
        for handle in starts.prefix(2) {
            bench.spawn(handle)
            bench.group.becameReady(handle, now: bench.now)
        }
        #expect(bench.snapshot.obstacle == .coldStart)
        bench.spawn(starts[2])
        bench.group.becameReady(starts[2], now: bench.now)
        #expect(bench.snapshot.obstacle == nil)
    }

    @Test func `slots that are all taken are one, and those who wait for them`() throws {
        let bench = Bench.ready()
        let running = try bench.acquire().grant()
        #expect(bench.snapshot.obstacle == .slots)
        let ticket = try bench.acquire().ticket()
        #expect(bench.snapshot.obstacle == .queue)
        #expect(bench.group.leaveQueue(ticket, now: bench.now))
        bench.finish(running)
        #expect(bench.snapshot.obstacle == nil)
    }

    @Test func `session places that are all taken are one until a session is evicted`() throws {
        let bench = Bench.ready {
            $0.threads = 4
            $0.sessionsPerProcess = 1
        }
        _ = try bench.visit()
        #expect(bench.snapshot.obstacle == .sessionPlaces)
        bench.pass(.seconds(10))
        #expect(bench.snapshot.obstacle == nil)
        _ = try bench.acquire().grant()
    }

    @Test func `a group without a ready process reports it, and one that ends`() {
        let bench = Bench { _ in }
        #expect(bench.snapshot.obstacle == .noneReady)
        bench.readyAll()
        bench.group.retire(now: bench.now)
        #expect(bench.snapshot.obstacle == .stopped)
    }
}
