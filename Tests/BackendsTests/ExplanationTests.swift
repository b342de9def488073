internal import Backends
internal import Testing

/// Why a request goes where it goes.
@Suite struct ExplanationTests {
    private func explain(
        _ bench: Bench, _ claim: AdmissionRequest.Claim? = nil
    ) -> PlacementExplanation {
        bench.group.explain(
            AdmissionRequest(claim: claim, newSession: bench.freshSession(), waiter: .init(0)),
            now: bench.now)
    }

    private func verdicts(_ explanation: PlacementExplanation) -> [PlacementExplanation.Verdict] {
        explanation.candidates.map(\.verdict)
    }

    @Test func `a session stays on its own process by rule 1`() throws {
        let bench = Bench.ready(2) { $0.threads = 2 }
        let grant = try bench.visit()
        let session = try #require(grant.session)
        let explanation = explain(bench, .init(session: session, process: grant.incarnation))
        #expect(explanation.outcome == .granted(grant.process))
        #expect(explanation.rule == .ownProcess)
        #expect(Set(verdicts(explanation)) == [.chosen, .notOwn])
    }

    @Test func `a new session goes to the process with the fewest by rule 4`() throws {
        let bench = Bench.ready(2) { ($0.threads, $0.placement) = (4, .spread) }
        let first = try bench.visit()
        let explanation = explain(bench)
        #expect(explanation.rule == .room)
        let other = try #require(explanation.candidates.first { $0.verdict == .chosen })
        #expect(other.process != first.process)
        #expect(verdicts(explanation).contains(.lessSuitable))
        #expect(try bench.acquire().grant().process == other.process)
    }

    @Test func `where no process has room it explains why, and how many wait before`() throws {
        let bench = Bench.ready(2) { $0.sessionsPerProcess = 1 }
        _ = try bench.acquire().grant()
        bench.finish(try bench.acquire().grant())
        _ = try bench.acquire().ticket()
        let explanation = explain(bench)
        #expect(explanation.outcome == .waits && explanation.rule == .noRoom)
        #expect(explanation.position == 1 && !explanation.startsProcess)
        #expect(Set(verdicts(explanation)) == [.noSlot, .noSessionPlace])
    }

    @Test func `a process that would be started is named`() {
        let bench = Bench { ($0.minimum, $0.maximum) = (0, 1) }
        let explanation = explain(bench)
        #expect(explanation.outcome == .waits && explanation.startsProcess)
        #expect(explanation.candidates.isEmpty)
        #expect(bench.recorder.starts.isEmpty, "nothing is started by asking")
    }

    @Test func `a lost session is refused by rule 2 with on_lost = refuse`() throws {
        let bench = Bench.ready(1) { $0.onLost = .refuse }
        let grant = try bench.visit()
        bench.exit(grant.process)
        let session = try #require(grant.session)
        let explanation = explain(bench, .init(session: session, process: grant.incarnation))
        #expect(explanation.outcome == .refused(.sessionLost))
        #expect(explanation.rule == .lostSession && verdicts(explanation) == [.starting])
    }

    @Test func `in a cold start a ready process is passed over`() throws {
        let bench = Bench { ($0.minimum, $0.maximum, $0.placement) = (2, 2, .spread) }
        let first = bench.takeStarts()[0]
        bench.spawn(first)
        bench.group.becameReady(first, now: bench.now)
        #expect(Set(verdicts(explain(bench))) == [.coldStart, .starting])
    }

    @Test func `a transient process comes after the permanent ones`() throws {
        let bench = Bench {
            ($0.minimum, $0.maximum, $0.threads, $0.queueLimit) = (1, 2, 1, 10)
        }
        bench.readyAll()
        let busy = try bench.acquire().grant()
        _ = try bench.acquire().ticket()
        bench.readyAll()
        bench.finish(busy)
        let other = try #require(bench.recorder.takeTraffic().first?.grant)
        bench.finish(other)
        #expect(Set(verdicts(explain(bench))) == [.chosen, .transient])
    }

    @Test func `asking changes nothing`() throws {
        let bench = Bench.ready(2) { ($0.threads, $0.sessionsPerProcess) = (2, 2) }
        _ = try bench.visit()
        let before = bench.snapshot
        for _ in 0..<10 { _ = explain(bench) }
        #expect(bench.snapshot == before)
    }
}
