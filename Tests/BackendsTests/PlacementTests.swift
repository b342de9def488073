internal import Backends
internal import Testing

@Suite struct PlacementTests {
    @Test func `a new session goes to the process with the fewest sessions`() throws {
        let bench = Bench.ready(3) { $0.threads = 10 }
        let processes = try (0..<9).map { _ in try bench.visit().process }
        for handle in Set(processes) { #expect(processes.count { $0 == handle } == 3) }
        #expect(Set(processes).count == 3)
    }

    @Test func `requests without a session go round over idle processes`() throws {
        let bench = Bench.ready(3) { $0.threads = 10 }
        var indices: [UInt32] = []
        for _ in 0..<6 {
            let grant = try bench.acquire(pinned: false).grant()
            bench.finish(grant)
            indices.append(grant.process.index)
        }
        #expect(Array(indices[..<3]) == Array(indices[3...]))
        #expect(Set(indices).count == 3)
    }

    @Test func `a server of weight 3 takes three times the sessions`() throws {
        let bench = Bench.external([1, 3]) { $0.threads = 100 }
        let indices = try (0..<40).map { _ in try bench.visit().process.index }
        #expect(indices.count { $0 == 0 } == 10)
        #expect(indices.count { $0 == 1 } == 30)
    }

    @Test func `weights count for requests without a session too`() throws {
        let bench = Bench.external([1, 3]) { $0.threads = 100 }
        var heavy = 0
        for _ in 0..<40 {
            let grant = try bench.acquire(pinned: false).grant()
            bench.finish(grant)
            if grant.process.index == 1 { heavy += 1 }
        }
        #expect(heavy == 30)
    }

    @Test func `a session stays with its process however busy that is`() throws {
        let bench = Bench.ready(2) { $0.threads = 10 }
        let first = try bench.visit()
        for _ in 0..<9 {
            let grant = try bench.acquire(as: first).grant()
            #expect(grant.process == first.process)
            #expect(grant.affinity == .kept && grant.placed == .kept)
        }
    }

    @Test func `a claim is honoured though the request itself is not to be pinned`() throws {
        let bench = Bench.ready(2)
        let first = try bench.visit()
        let claim = AdmissionRequest.Claim(
            session: try #require(first.session), process: first.incarnation)
        let again = try bench.group.acquire(
            AdmissionRequest(claim: claim, newSession: nil, waiter: .init(9)), now: bench.now
        ).grant()
        #expect(again.process == first.process && again.session == first.session)
    }

    @Test func `pack fills the fullest process while it is below its target`() throws {
        let bench = Bench { policy in
            policy.minimum = 0
            policy.maximum = 3
            policy.threads = 2
            policy.placement = .pack
        }
        for _ in 0..<4 { _ = bench.acquire() }
        bench.readyAll()
        for order in bench.recorder.takeTraffic() { bench.finish(try #require(order.grant)) }
        #expect(bench.snapshot.processes.map(\.sessions) == [2, 2])
        let more = try (0..<5).map { _ in try bench.visit().process }
        #expect(Set(more).count == 1)
    }

    @Test func `pack leaves a process that was above its target for ten seconds`() throws {
        let bench = Bench { policy in
            policy.minimum = 2
            policy.maximum = 2
            policy.threads = 10
            policy.placement = .pack
        }
        bench.readyAll()
        let busy = try (0..<8).map { _ in try bench.acquire().grant() }
        #expect(Set(busy.map(\.process)).count == 1)
        bench.pass(.seconds(12))
        #expect(try bench.acquire().grant().process != busy[0].process)
    }

    @Test func `a group above its target load starts the next process ahead of need`() throws {
        let bench = Bench { policy in
            policy.minimum = 1
            policy.maximum = 2
            policy.threads = 10
            policy.placement = .pack
        }
        bench.readyAll()
        for _ in 0..<8 { _ = try bench.acquire().grant() }
        #expect(bench.recorder.startReasons == [.minimum])
        bench.pass(.seconds(12))
        _ = try bench.acquire().grant()
        #expect(bench.recorder.startReasons == [.minimum, .load])
    }

    @Test func `at a cold start spread waits for the minimum`() throws {
        let bench = Bench {
            $0.minimum = 3
            $0.maximum = 3
            $0.threads = 10
        }
        for _ in 0..<6 { _ = try bench.acquire().ticket() }
        let starts = bench.takeStarts()
        for (count, handle) in starts.enumerated() {
            #expect(bench.recorder.takeTraffic().isEmpty, "\(count) processes are ready")
            bench.spawn(handle)
            bench.group.becameReady(handle, now: bench.now)
        }
        let grants = bench.recorder.takeTraffic().compactMap(\.grant)
        for handle in starts { #expect(grants.count { $0.process == handle } == 2) }
    }

    @Test func `a cold start waits five seconds for a slow process and no longer`() throws {
        let bench = Bench {
            $0.minimum = 2
            $0.maximum = 2
        }
        _ = try bench.acquire().ticket()
        let first = bench.takeStarts()[0]
        bench.spawn(first)
        bench.group.becameReady(first, now: bench.now)
        bench.pass(.milliseconds(4999))
        #expect(bench.recorder.takeTraffic().isEmpty)
        bench.pass(.milliseconds(1))
        #expect(bench.recorder.takeTraffic().map { $0.grant?.process } == [first])
    }

    @Test func `a process holds no more sessions than it may`() throws {
        let bench = Bench.ready(2) {
            $0.threads = 5
            $0.sessionsPerProcess = 2
        }
        for _ in 0..<4 { _ = try bench.visit() }
        #expect(bench.snapshot.processes.map(\.sessions) == [2, 2])
        _ = try bench.acquire().ticket()
    }

    @Test func `a request without a session takes a session's place while it runs`() throws {
        let bench = Bench.ready(1) {
            $0.threads = 5
            $0.sessionsPerProcess = 1
        }
        let plain = try bench.acquire(pinned: false).grant()
        _ = try bench.acquire().ticket()
        bench.finish(plain)
        #expect(bench.recorder.takeTraffic().map(\.tag) == [bench.lastTag])
    }
}
