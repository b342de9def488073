internal import Backends
internal import Testing

@Suite struct OutageTests {
    /// Two servers, and a session on each; the first is the one that fails.
    private func pair(
        _ configure: (inout GroupPolicy) -> Void = { _ in }
    ) throws -> (bench: Bench, ill: Grant, well: Grant) {
        let bench = Bench.external([1, 1]) { policy in
            policy.threads = 4
            configure(&policy)
        }
        return (bench, try bench.visit(), try bench.visit())
    }

    private func fail(_ bench: Bench, _ session: Grant, times: Int = 1) throws {
        for _ in 0..<times {
            let grant = try bench.acquire(as: session).grant()
            #expect(grant.process == session.process)
            bench.finish(grant, .failed)
        }
    }

    private func state(_ bench: Bench, of grant: Grant) -> ProcessSnapshot.State? {
        bench.snapshot.processes.first { $0.handle == grant.process }?.state
    }

    @Test func `three failures in a row take a server out though it takes connections`() throws {
        let (bench, ill, well) = try pair()
        try fail(bench, ill, times: 2)
        #expect(state(bench, of: ill) == .ready)
        try fail(bench, ill)
        #expect(state(bench, of: ill) == .down)
        #expect(bench.recorder.events.last == .down(ill.process, retryIn: .seconds(1)))
        for _ in 0..<3 { #expect(try bench.acquire().grant().process == well.process) }
    }

    @Test func `an answer between failures forgets them, and an abandoned request does not count`()
        throws
    {
        let (bench, ill, _) = try pair()
        for _ in 0..<4 {
            try fail(bench, ill, times: 2)
            bench.finish(try bench.acquire(as: ill).grant(), .abandoned)
            bench.finish(try bench.acquire(as: ill).grant(), .served)
        }
        #expect(state(bench, of: ill) == .ready)
    }

    @Test func `the only server is never taken out for its answers`() throws {
        let bench = Bench.external([1]) { $0.threads = 4 }
        let session = try bench.visit()
        try fail(bench, session, times: 9)
        #expect(state(bench, of: session) == .ready)
    }

    @Test func `an overdue request counts at once, and its slot is free when it has ended`() throws
    {
        let (bench, ill, _) = try pair()
        let grants = try (0..<3).map { _ in try bench.acquire(as: ill).grant() }
        for grant in grants { bench.group.overdue(grant, now: bench.now) }
        #expect(state(bench, of: ill) == .down)
        func inFlight() -> Int? {
            bench.snapshot.processes.first { $0.handle == ill.process }?.inFlight
        }
        #expect(inFlight() == 3)
        for grant in grants { bench.finish(grant, .abandoned) }
        #expect(inFlight() == 0)
    }

    @Test(arguments: [GroupPolicy.OnLost.reassign, .refuse])
    func `sessions of a server that is out follow on_lost`(onLost: GroupPolicy.OnLost) throws {
        let (bench, ill, well) = try pair { $0.onLost = onLost }
        try fail(bench, ill, times: 3)
        switch (onLost, try bench.acquire(as: ill)) {
        case (.reassign, .granted(let grant)):
            #expect(grant.process == well.process && grant.affinity == .lost)
        case (.refuse, .refused(let refusal)): #expect(refusal.reason == .sessionLost)
        case (_, let admission): Issue.record("\(admission)")
        }
    }

    @Test func `a server that is back gets one request until that is served`() throws {
        let (bench, ill, well) = try pair { $0.placement = .spread }
        try fail(bench, ill, times: 3)
        bench.pass(.seconds(1))
        let probe = try bench.acquire(as: ill).grant()
        #expect(probe.process == ill.process && state(bench, of: ill) == .down)
        for _ in 0..<4 { #expect(try bench.acquire(pinned: false).grant().process == well.process) }
        let waiting = try bench.acquire(as: ill).ticket()
        bench.finish(probe)
        #expect(state(bench, of: ill) == .ready)
        #expect(bench.recorder.takeTraffic().first?.grant?.process == ill.process)
        #expect(bench.group.leaveQueue(waiting, now: bench.now) == false)
    }

    @Test func `a probe that fails takes the server out for longer each time`() throws {
        let (bench, ill, _) = try pair()
        try fail(bench, ill, times: 3)
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] as [Int64] {
            #expect(bench.recorder.events.last == .down(ill.process, retryIn: .seconds(seconds)))
            bench.pass(.seconds(seconds))
            try fail(bench, ill)
        }
    }

    @Test func `a waiter for a probe that fails is placed again`() throws {
        let (bench, ill, well) = try pair()
        try fail(bench, ill, times: 3)
        bench.pass(.seconds(1))
        let probe = try bench.acquire(as: ill).grant()
        _ = try bench.acquire(as: ill).ticket()
        bench.finish(probe, .failed)
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        #expect(grant.process == well.process && grant.affinity == .lost)
    }

    @Test func `requests from before an outage leave room for the probe`() throws {
        let (bench, ill, _) = try pair()
        let stream = try bench.acquire(as: ill).grant()
        try fail(bench, ill, times: 3)
        bench.pass(.seconds(1))
        let probe = try bench.acquire(as: ill).grant()
        #expect(probe.process == ill.process)
        _ = try bench.acquire(as: ill).ticket()
        bench.finish(probe)
        #expect(state(bench, of: ill) == .ready)
        bench.finish(stream)
    }

    @Test func `an administrator's reset brings a server back`() throws {
        let (bench, ill, _) = try pair()
        try fail(bench, ill, times: 3)
        bench.group.reset(now: bench.now)
        #expect(try bench.acquire(as: ill).grant().process == ill.process)
    }

    @Test func `spawned processes are not taken out for failed requests`() throws {
        let bench = Bench.ready(2)
        let session = try bench.visit()
        try fail(bench, session, times: 10)
        #expect(bench.recorder.terminated.isEmpty)
    }
}
