internal import Backends
internal import Testing

@Suite struct UnconfirmedTests {
    private func policy(_ configure: (inout GroupPolicy) -> Void = { _ in }) -> Bench {
        Bench { policy in
            (policy.minimum, policy.maximum) = (0, 1)
            policy.threads = 2
            policy.idleTimeout = .seconds(1)
            policy.sessionIdle = .seconds(1800)
            policy.unconfirmed = .seconds(300)
            configure(&policy)
        }
    }

    /// A session with its first request over, on a group that has started for it.
    private func visit(_ bench: Bench) throws -> Grant {
        let grant: Grant
        switch bench.acquire() {
        case .granted(let granted): grant = granted
        default:
            bench.readyAll()
            grant = try #require(bench.recorder.takeTraffic().first?.grant)
        }
        bench.finish(grant)
        return grant
    }

    /// The client sends the cookie back.
    private func confirm(_ bench: Bench, _ grant: Grant) throws {
        bench.finish(try bench.acquire(as: grant).grant())
    }

    // MARK: How long it lasts

    @Test func `a session whose cookie never came back keeps its process for a short time`() throws
    {
        let bench = policy()
        _ = try visit(bench)
        #expect(bench.snapshot.sessionsUnconfirmed == 1)
        bench.pass(.seconds(299))
        #expect(bench.recorder.terminated.isEmpty)
        bench.pass(.seconds(3))
        #expect(bench.snapshot.sessionsLive == 0 && bench.recorder.terminated.count == 1)
    }

    @Test func `the first request that brings the cookie makes it last as long as any`() throws {
        let bench = policy()
        let grant = try visit(bench)
        bench.pass(.seconds(200))
        try confirm(bench, grant)
        #expect(bench.snapshot.sessionsUnconfirmed == 0)
        bench.pass(.seconds(1799))
        #expect(bench.snapshot.sessionsLive == 1 && bench.recorder.terminated.isEmpty)
    }

    @Test func `a provisional pin confirms nothing`() throws {
        let bench = policy()
        let grant = try visit(bench)
        let claim = AdmissionRequest.Claim(
            session: try #require(grant.session), process: grant.incarnation, isFromClient: false)
        let request = AdmissionRequest(claim: claim, newSession: nil, waiter: .init(1000))
        let other = try bench.group.acquire(request, now: bench.now).grant()
        #expect(other.session == grant.session)
        bench.finish(other)
        #expect(bench.snapshot.sessionsUnconfirmed == 1)
    }

    @Test func `what the application holds counts from when the cookie comes back`() throws {
        let bench = policy()
        let (one, other) = (try visit(bench), try visit(bench))
        for grant in [one, other] {
            bench.group.holdSession(
                try #require(grant.session), idle: .seconds(7200), now: bench.now)
        }
        try confirm(bench, other)
        bench.pass(.seconds(301))
        #expect(bench.snapshot.sessionsLive == 1)
        bench.pass(.seconds(6800))
        #expect(bench.snapshot.sessionsLive == 1)
    }

    @Test func `a shorter idle time holds for those too whose cookie never came back`() throws {
        let bench = policy { $0.sessionIdle = .seconds(60) }
        _ = try visit(bench)
        bench.pass(.seconds(61))
        #expect(bench.snapshot.sessionsLive == 0)
    }

    // MARK: Session places

    @Test func `a new visitor takes the place of the oldest unconfirmed session`() throws {
        let bench = Bench.ready(2) { $0.sessionsPerProcess = 1 }
        let oldest = try bench.visit()
        bench.pass(.seconds(1))
        _ = try bench.visit()
        bench.pass(.seconds(10))
        let visitor = try bench.acquire().grant()
        #expect(visitor.process == oldest.process && visitor.session != oldest.session)
        #expect(bench.snapshot.sessionsGivenWayTotal == 1)
        bench.finish(visitor)
        let late = try bench.acquire(as: oldest).grant()
        #expect(late.session != oldest.session, "its place belongs to another session")
    }

    @Test func `a session gives its place up no earlier than after ten seconds`() throws {
        let bench = Bench.ready { $0.sessionsPerProcess = 1 }
        let first = try bench.visit()
        _ = try bench.acquire().ticket()
        bench.pass(.seconds(9))
        #expect(bench.recorder.takeTraffic().isEmpty)
        bench.pass(.seconds(1))
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        #expect(grant.process == first.process && grant.session != first.session)
    }

    @Test func `ten seconds begin when the first answer has ended`() throws {
        let bench = Bench.ready { $0.sessionsPerProcess = 1 }
        let first = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        bench.pass(.seconds(20))
        bench.finish(first)
        bench.pass(.seconds(9))
        #expect(bench.recorder.takeTraffic().isEmpty)
    }

    @Test func `a confirmed session never gives its place up`() throws {
        let bench = Bench.ready { $0.sessionsPerProcess = 1 }
        try confirm(bench, try bench.visit())
        _ = try bench.acquire().ticket()
        bench.pass(.seconds(29))
        #expect(bench.recorder.takeTraffic().isEmpty)
    }

    @Test func `a session with an open tunnel does not give its place up`() throws {
        let bench = Bench.ready {
            $0.sessionsPerProcess = 1
            $0.queueTimeout = .seconds(1000)
        }
        let first = try bench.acquire().grant()
        _ = bench.group.beginTunnel(first, now: bench.now)
        _ = try bench.acquire().ticket()
        bench.pass(.seconds(60))
        #expect(bench.recorder.takeTraffic().isEmpty)
        bench.group.endTunnel(first, .served, heldSlot: false, now: bench.now)
        bench.pass(.seconds(10))
        #expect(bench.recorder.takeTraffic().first?.grant != nil)
    }

    @Test func `a process is started before a session gives its place up`() throws {
        let bench = Bench.ready {
            $0.sessionsPerProcess = 1
            $0.maximum = 2
        }
        let first = try bench.visit()
        bench.pass(.seconds(60))
        _ = try bench.acquire().ticket()
        bench.readyAll()
        let grant = try #require(bench.recorder.takeTraffic().first?.grant)
        #expect(grant.process != first.process && bench.snapshot.sessionsLive == 2)
    }

    @Test func `waiters get places one after the other as sessions come of age`() throws {
        let bench = Bench.ready(2) { $0.sessionsPerProcess = 1 }
        _ = try bench.visit()
        bench.pass(.seconds(4))
        _ = try bench.visit()
        let tickets = [try bench.acquire().ticket(), try bench.acquire().ticket()]
        bench.pass(.seconds(6))
        #expect(bench.recorder.takeTraffic().count == 1)
        bench.pass(.seconds(4))
        #expect(bench.recorder.takeTraffic().count == 1 && tickets.count == 2)
    }

    @Test func `a place is taken although no request may wait`() throws {
        let bench = Bench.ready {
            $0.sessionsPerProcess = 1
            $0.queueLimit = 0
        }
        _ = try bench.visit()
        #expect(bench.acquire().refusal?.reason == .queueFull)
        bench.pass(.seconds(10))
        _ = try bench.acquire().grant()
    }

    @Test func `external servers' places are given up too`() throws {
        let bench = Bench.external([1]) { $0.sessionsPerProcess = 1 }
        _ = try bench.visit()
        bench.pass(.seconds(10))
        _ = try bench.acquire().grant()
    }

    // MARK: The table of leases

    @Test func `a full table is reported once and unconfirmed sessions give way, the oldest first`()
        throws
    {
        let bench = Bench.ready {
            $0.threads = 10
            $0.leaseLimit = 3
        }
        let kept = try bench.visit()
        try confirm(bench, kept)
        let oldest = try bench.visit()
        bench.pass(.seconds(1))
        _ = try bench.visit()
        #expect(!bench.recorder.events.contains(.leasesFull(count: 3)))
        bench.pass(.seconds(10))
        for _ in 0..<3 { _ = try bench.visit() }
        #expect(bench.recorder.events.count { $0 == .leasesFull(count: 3) } == 1)
        #expect(bench.snapshot.isLeaseTableFull && bench.snapshot.sessionsLive == 3)
        #expect(bench.snapshot.sessionsGivenWayTotal == 2)
        #expect(bench.snapshot.sessionsWithoutLeaseTotal == 1, "the youngest are protected")
        // Its process lives, so it is served where it was.
        #expect(try bench.acquire(as: oldest).grant().process == oldest.process)
        bench.pass(.seconds(1000))
        #expect(try bench.acquire(as: kept).grant().affinity == .kept)
    }

    @Test func `a confirmed lease is not dropped by a million that are not`() throws {
        let bench = Bench.ready {
            $0.threads = 10
            $0.leaseLimit = 1000
        }
        let kept = try bench.visit()
        try confirm(bench, kept)
        for _ in 0..<5000 {
            _ = try bench.visit()
            bench.now = bench.now + .milliseconds(40)
        }
        let snapshot = bench.snapshot
        #expect(snapshot.sessionsLive <= 1000 && snapshot.sessionsWithoutLeaseTotal == 0)
        #expect(snapshot.sessionsLive - snapshot.sessionsUnconfirmed == 1)
        #expect(try bench.acquire(as: kept).grant().session == kept.session)
    }

    // MARK: The next balancer

    @Test func `a recorded session is marked as confirmed or not`() throws {
        let bench = Bench.ready { $0.sessionsPerProcess = 2 }
        let (one, other) = (try bench.visit(), try bench.visit())
        try confirm(bench, other)
        let remembered = bench.recorder.supervision.last
        let expected = RememberedSessions(
            confirmed: [try #require(other.session)], unconfirmed: [try #require(one.session)])
        #expect(remembered == .remember(one.process, expected))
    }

    @Test(arguments: [true, false])
    func `a place whose session may be in no record is kept for ten seconds`(comesBack: Bool) throws
    {
        let recorder = Recorder()
        let start = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        var policy = GroupPolicy(name: "app")
        policy.sessionsPerProcess = 1
        let group = Group(index: 0, policy: policy, seed: 1, executor: recorder, now: start)
        let adopted = AdoptedProcess(
            incarnation: Incarnation(7), label: "p", pid: 1, address: .unix(path: "/p"),
            generation: 1, isStale: false, wasReady: true, wasOrphaned: true, age: .seconds(100))
        _ = try #require(group.adopt(adopted, now: start))
        group.start(now: start)
        let stranger = AdmissionRequest(
            claim: nil, newSession: SessionID(high: 1, low: 1), waiter: .init(1))
        _ = try group.acquire(stranger, now: start).ticket()
        if comesBack {
            let returning = AdmissionRequest(
                claim: .init(session: SessionID(high: 9, low: 9), process: Incarnation(7)),
                newSession: nil, waiter: .init(2))
            _ = try group.acquire(returning, now: start + .seconds(9)).grant()
        }
        group.advance(to: start + .milliseconds(9_999))
        #expect(recorder.takeTraffic().isEmpty)
        group.advance(to: start + .seconds(10))
        #expect((recorder.takeTraffic().first?.grant == nil) == comesBack)
    }

    @Test(arguments: [true, false])
    func `an adopted session gives way only if it was never confirmed`(isConfirmed: Bool) throws {
        let recorder = Recorder()
        let start = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        var policy = GroupPolicy(name: "app")
        policy.sessionsPerProcess = 1
        let group = Group(index: 0, policy: policy, seed: 1, executor: recorder, now: start)
        let session = [SessionID(high: 9, low: 9)]
        let adopted = AdoptedProcess(
            incarnation: Incarnation(7), label: "p", pid: 1, address: .unix(path: "/p"),
            generation: 1, isStale: false, wasReady: true,
            sessions: isConfirmed ? .init(confirmed: session) : .init(unconfirmed: session),
            age: .seconds(100))
        _ = try #require(group.adopt(adopted, now: start))
        group.start(now: start)
        let request = AdmissionRequest(
            claim: nil, newSession: SessionID(high: 1, low: 1), waiter: .init(1))
        _ = try group.acquire(request, now: start + .seconds(9)).ticket()
        group.advance(to: start + .seconds(10))
        #expect((recorder.takeTraffic().first?.grant == nil) == isConfirmed)
    }
}
