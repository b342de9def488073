internal import Testing

@testable internal import Backends

/// Sessions that are known by their ids alone, as those of users.
@Suite struct NamedSessionTests {
    private static let ann = SessionID(high: 7, low: 1)

    /// A request of the user.
    private func request(_ waiter: UInt64 = 1000, session: SessionID = ann) -> AdmissionRequest {
        AdmissionRequest(
            claim: .init(session: session, process: Incarnation(.max), requiresLease: true),
            newSession: session, waiter: WaiterTag(waiter))
    }

    private func ask(_ bench: Bench, _ session: SessionID = ann) throws -> Grant {
        try bench.group.acquire(request(session: session), now: bench.now).grant()
    }

    private func named(_ count: Int = 2) -> Bench { Bench.ready(count) { $0.namesSessions = true } }

    private func remembered(_ bench: Bench) -> [RememberedSessions] {
        bench.recorder.supervision.compactMap { order in
            if case .remember(_, let sessions) = order { sessions } else { nil }
        }
    }

    @Test func `a session is found by its id`() throws {
        let bench = named()
        let first = try ask(bench)
        #expect(first.affinity == .new && first.placed == .pinned)
        bench.finish(first)
        _ = try bench.visit()
        let again = try ask(bench)
        #expect(again.process == first.process && again.affinity == .kept)
        let other = try ask(bench, SessionID(high: 8, low: 1))
        #expect(other.session != first.session)
    }

    @Test func `requests of one user that wait together get one process`() throws {
        let bench = Bench {
            ($0.minimum, $0.maximum, $0.threads) = (0, 2, 1)
            $0.namesSessions = true
        }
        for waiter in 1...3 as ClosedRange<UInt64> {
            _ = try bench.group.acquire(request(waiter), now: bench.now).ticket()
        }
        var served: [Grant] = []
        while served.count < 3 {
            bench.readyAll()
            let grants = bench.recorder.takeTraffic().compactMap(\.grant)
            try #require(!grants.isEmpty)
            for grant in grants { bench.finish(grant) }
            served += grants
        }
        #expect(Set(served.map(\.process)).count == 1)
        #expect(served.allSatisfy { $0.session == Self.ann })
    }

    @Test func `a session that was released begins again by its id`() throws {
        let bench = named()
        bench.finish(try ask(bench))
        bench.group.endSession(Self.ann, now: bench.now)
        let again = try ask(bench)
        #expect(again.affinity == .new)
        bench.finish(again)
        bench.pass(.seconds(3600))
        #expect(bench.snapshot.sessionsLive == 0)
        // A cookie of the second session still leads to its process.
        let kept = try bench.acquire(Self.ann, on: again.incarnation).grant()
        #expect(kept.affinity == .kept && kept.process == again.process)
    }

    @Test func `sessions are recorded, and found again after an adoption`() throws {
        let bench = named(1)
        let grant = try ask(bench)
        bench.finish(grant)
        bench.finish(try ask(bench))
        bench.pass(.seconds(1))
        #expect(remembered(bench).first == RememberedSessions(unconfirmed: [Self.ann]))
        #expect(remembered(bench).last == RememberedSessions(confirmed: [Self.ann]))

        let now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        var policy = GroupPolicy(name: "app")
        (policy.minimum, policy.maximum, policy.namesSessions) = (2, 2, true)
        let group = Group(index: 0, policy: policy, seed: 1, executor: Recorder(), now: now)
        for number in 1...2 as ClosedRange<UInt64> {
            let process = AdoptedProcess(
                incarnation: Incarnation(number), label: "p\(number)", pid: Int32(number),
                address: .unix(path: "/\(number)"), generation: 1, isStale: false, wasReady: true,
                sessions: number == 2 ? .init(confirmed: [Self.ann]) : .init(), age: .zero)
            #expect(group.adopt(process, now: now) != nil)
        }
        group.start(now: now)
        let after = try group.acquire(request(), now: now).grant()
        #expect(after.incarnation == Incarnation(2) && after.affinity == .kept)
    }

    @Test func `many new sessions are recorded together`() throws {
        let bench = named(1)
        bench.finish(try ask(bench))
        let before = remembered(bench).count
        for number in 1...50 as ClosedRange<UInt64> {
            bench.finish(try ask(bench, SessionID(high: number << 8, low: 1)))
        }
        #expect(remembered(bench).count == before)
        bench.pass(.milliseconds(100))
        #expect(remembered(bench).count == before + 1)
        #expect(remembered(bench).last?.unconfirmed.count == 51)
    }

    @Test func `two requests that begin one session at once both take part in it`() throws {
        let bench = Bench.ready(1) {
            $0.namesSessions = true
            $0.threads = 3
        }
        var first = try bench.acquire(pinned: false).grant()
        var second = try bench.acquire(pinned: false).grant()
        for grant in [first, second] {
            #expect(bench.group.pin(Self.ann, of: grant, now: bench.now))
        }
        (first.session, second.session) = (Self.ann, Self.ann)
        bench.finish(first)
        bench.pass(.seconds(3600))
        #expect(bench.snapshot.sessionsLive == 1)
        bench.finish(second)
        bench.pass(.seconds(3600))
        #expect(bench.snapshot.sessionsLive == 0)
        #expect(bench.snapshot.sessionsCreatedTotal == 1)
    }

    @Test func `a session is begun on one process only`() throws {
        let bench = named()
        var here = try bench.acquire(pinned: false).grant()
        let there = try bench.acquire(pinned: false).grant()
        try #require(here.process != there.process)
        #expect(bench.group.pin(Self.ann, of: here, now: bench.now))
        #expect(!bench.group.pin(Self.ann, of: there, now: bench.now))
        bench.finish(there)
        here.session = Self.ann
        bench.finish(here)
        #expect(try ask(bench).process == here.process)
    }

    @Test func `a process issues a second id in a request of the first`() throws {
        let bench = named()
        let grant = try ask(bench)
        let other = SessionID(high: 9, low: 1)
        bench.group.begin(other, beside: grant, now: bench.now)
        bench.group.begin(other, beside: grant, now: bench.now)
        bench.finish(grant)
        #expect(bench.snapshot.sessionsLive == 2)
        #expect(try ask(bench, other).process == grant.process)
    }

    @Test func `where places are limited there is none for a second id`() throws {
        let bench = Bench.ready(2) {
            $0.namesSessions = true
            $0.sessionsPerProcess = 1
        }
        let grant = try ask(bench)
        bench.group.begin(SessionID(high: 9, low: 1), beside: grant, now: bench.now)
        #expect(bench.snapshot.sessionsLive == 1)
    }
}
