internal import Backends
internal import Testing

/// Sessions whose cookie no client has, and what their processes learn of them.
@Suite struct UnissuedSessionTests {
    private static func places() -> Bench { .ready { $0.sessionsPerProcess = 1 } }

    private func sessions(_ bench: Bench) -> Int { bench.snapshot.sessionsLive }

    // MARK: Their end

    @Test(arguments: [ExchangeOutcome.connectFailed, .failed, .abandoned])
    func `a session ends with its first request if that got no response`(
        _ outcome: ExchangeOutcome
    ) throws {
        let bench = Self.places()
        let grant = try bench.acquire().grant()
        bench.group.finished(grant, outcome, isAnswered: false, now: bench.now)
        #expect(sessions(bench) == 0)
    }

    @Test func `its place goes to the next visitor at once`() throws {
        let bench = Self.places()
        let grant = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        bench.group.finished(grant, .failed, isAnswered: false, now: bench.now)
        #expect(bench.recorder.takeTraffic().map(\.tag) == [bench.lastTag])
    }

    @Test func `a response that broke off has brought the cookie`() throws {
        let bench = Self.places()
        let grant = try bench.acquire().grant()
        bench.group.finished(grant, .failed, isAnswered: true, now: bench.now)
        #expect(sessions(bench) == 1)
    }

    @Test func `a session goes on while another request of it waits for its response`() throws {
        let bench = Bench.ready { $0.threads = 4 }
        let first = try bench.acquire().grant()
        let second = try bench.acquire(as: first).grant()
        bench.group.finished(first, .failed, isAnswered: false, now: bench.now)
        #expect(sessions(bench) == 1)
        bench.finish(second)
        #expect(sessions(bench) == 1)
    }

    @Test func `a session whose cookie came back outlives a request without a response`() throws {
        let bench = Bench.ready()
        let grant = try bench.acquire(as: bench.visit()).grant()
        bench.group.finished(grant, .failed, isAnswered: false, now: bench.now)
        #expect(sessions(bench) == 1)
    }

    // MARK: Waiting pages

    /// A group of one process, none of which is there yet, and a visitor with a waiting page.
    private func onPage() throws -> (bench: Bench, session: SessionID) {
        let bench = Bench {
            ($0.minimum, $0.maximum) = (0, 1)
            $0.threads = 4
        }
        let ticket = try bench.acquire().ticket()
        #expect(bench.group.keepTurn(ticket, now: bench.now))
        return (bench, SessionID(high: 1, low: 0))
    }

    private func acquire(_ bench: Bench, _ session: SessionID) -> Admission {
        bench.acquire(session, on: Incarnation(0), requiresLease: true)
    }

    @Test func `a turn that was kept begins a session and holds no slot`() throws {
        let (bench, _) = try onPage()
        bench.readyAll()
        #expect(bench.recorder.takeTraffic().isEmpty)
        #expect(sessions(bench) == 1)
        #expect(bench.snapshot.processes.map(\.inFlight) == [0])
    }

    @Test func `the first request of a session from a page is new to its process`() throws {
        let (bench, session) = try onPage()
        bench.readyAll()
        let first = try acquire(bench, session).grant()
        #expect(first.affinity == .new && first.placed == .kept)
        bench.finish(first)
        #expect(try bench.acquire(as: first).grant().affinity == .kept)
    }

    @Test func `one of several first requests tells the process that the session is new`() throws {
        let (bench, session) = try onPage()
        bench.readyAll()
        #expect(try acquire(bench, session).grant().affinity == .new)
        #expect(try acquire(bench, session).grant().affinity == .kept)
    }

    @Test func `a session from a page is new until its process has answered`() throws {
        let (bench, session) = try onPage()
        bench.readyAll()
        let failed = try acquire(bench, session).grant()
        bench.group.finished(failed, .failed, isAnswered: false, now: bench.now)
        #expect(try acquire(bench, session).grant().affinity == .new)
    }

    @Test func `a turn that has come is not kept`() throws {
        let bench = Bench {
            ($0.minimum, $0.maximum) = (0, 1)
            $0.threads = 4
        }
        let ticket = try bench.acquire().ticket()
        bench.readyAll()
        #expect(bench.group.keepTurn(ticket, now: bench.now) == false)
        #expect(bench.recorder.takeTraffic().count == 1)
    }

    // MARK: Lost sessions

    @Test func `a session that only a connection knows is new elsewhere without its process`()
        throws
    {
        let bench = Bench.ready()
        let claim = AdmissionRequest.Claim(
            session: SessionID(high: 77, low: 0), process: Incarnation(77), isFromClient: false)
        let request = AdmissionRequest(
            claim: claim, newSession: bench.freshSession(), waiter: WaiterTag(77))
        let grant = try bench.group.acquire(request, now: bench.now).grant()
        #expect(grant.affinity == .new && grant.placed == .pinned)
    }

    @Test func `a process that refuses its first connection loses no session`() throws {
        let bench = Bench.ready()
        let grant = try bench.acquire().grant()
        bench.group.finished(grant, .connectFailed, isAnswered: false, now: bench.now)
        let lost = bench.recorder.events.contains { event in
            if case .sessionsLost = event { true } else { false }
        }
        #expect(!lost)
    }

    @Test func `a lost session is lost until its new process has answered`() throws {
        let bench = Bench.ready(2)
        let old = try bench.visit()
        let confirmed = try bench.acquire(as: old).grant()
        bench.finish(confirmed)
        bench.exit(old.process)
        let moved = try bench.acquire(as: old).grant()
        #expect(moved.affinity == .lost)
        bench.group.finished(moved, .failed, isAnswered: false, now: bench.now)
        let again = try bench.acquire(as: old).grant()
        #expect(again.affinity == .lost && again.placed == .kept)
        bench.finish(again)
        #expect(try bench.acquire(as: again).grant().affinity == .kept)
    }

    @Test func `with session places, too, a session of an unknown process is lost`() throws {
        let bench = Self.places()
        let grant = try bench.acquire(SessionID(high: 77, low: 0), on: Incarnation(77)).grant()
        #expect(grant.affinity == .lost && grant.placed == .moved)
    }

    @Test func `with session places, too, a lost session is refused where that is wanted`() throws {
        let bench = Bench.ready {
            $0.sessionsPerProcess = 1
            $0.onLost = .refuse
        }
        let admission = bench.acquire(SessionID(high: 77, low: 0), on: Incarnation(77))
        #expect(admission.refusal?.reason == .sessionLost)
    }
}
